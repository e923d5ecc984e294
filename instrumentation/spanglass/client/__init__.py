"""A typed client of the server's monitoring API: measurements, alerts, incidents, silences, health, its state.

``MonitoringClient`` waits for answers, ``AsyncMonitoringClient`` awaits them; both have the same calls. ``DataClient``
and ``query`` give tables for pandas, Polars and Arrow.
"""

from __future__ import annotations

from spanglass.client.answers import Alert, AlertList, Counts, MetricPage, MetricValue, SystemStatus, Threshold
from spanglass.client.client import AsyncMonitoringClient, MonitoringClient
from spanglass.client.errors import (
    AccessError,
    AnswerError,
    ClientError,
    ConflictError,
    NotFoundError,
    RequestError,
    ServerError,
    UnreachableError,
)
from spanglass.client.health import Check, Component, Health
from spanglass.client.incident_answers import Incident, IncidentList
from spanglass.client.notified import Delivery, DeliveryList, Explanation, OnCall, Silence
from spanglass.client.retrying import Retrying
from spanglass.client.tables import Answer, DataClient, MissingLibraryError, query

__all__ = [
    "AccessError",
    "Alert",
    "AlertList",
    "Answer",
    "AnswerError",
    "AsyncMonitoringClient",
    "Check",
    "ClientError",
    "Component",
    "ConflictError",
    "Counts",
    "DataClient",
    "Delivery",
    "DeliveryList",
    "Explanation",
    "Health",
    "Incident",
    "IncidentList",
    "MetricPage",
    "MetricValue",
    "MissingLibraryError",
    "MonitoringClient",
    "NotFoundError",
    "OnCall",
    "RequestError",
    "Retrying",
    "ServerError",
    "Silence",
    "SystemStatus",
    "Threshold",
    "UnreachableError",
    "query",
]
