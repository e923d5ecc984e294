"""The table of settings: every group, name, type, default and help text, in the order of the documentation.

A setting's dotted name is its group and its field, without the unit of a duration: ``ingest.body_timeout`` is
``settings.ingest.body_timeout_ns``. The environment variable follows from the name unless the row gives one. Groups
are in ``groups/``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - the annotation of a field
from typing import Any

from spanglass_server.settings.groups.receiving import Auth, Cors, Ingest, Server
from spanglass_server.settings.groups.showing import Dashboards, GenAi, Reports
from spanglass_server.settings.groups.storing import Costs, Data, Issues, Log, Query, Retention, Storage
from spanglass_server.settings.groups.watching import Alerting, Anomalies, Egress, Health, Notifications, Slo
from spanglass_server.settings.rows import Setting


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a server, read-only: ``settings.server.port``."""

    server: Server = field(default_factory=Server)
    data: Data = field(default_factory=Data)
    auth: Auth = field(default_factory=Auth)
    ingest: Ingest = field(default_factory=Ingest)
    cors: Cors = field(default_factory=Cors)
    storage: Storage = field(default_factory=Storage)
    retention: Retention = field(default_factory=Retention)
    costs: Costs = field(default_factory=Costs)
    issues: Issues = field(default_factory=Issues)
    dashboards: Dashboards = field(default_factory=Dashboards)
    alerting: Alerting = field(default_factory=Alerting)
    anomalies: Anomalies = field(default_factory=Anomalies)
    slo: Slo = field(default_factory=Slo)
    notifications: Notifications = field(default_factory=Notifications)
    egress: Egress = field(default_factory=Egress)
    health: Health = field(default_factory=Health)
    reports: Reports = field(default_factory=Reports)
    genai: GenAi = field(default_factory=GenAi)
    query: Query = field(default_factory=Query)
    log: Log = field(default_factory=Log)
    file: Path | None = None  # that they were read from; it may hold more than settings


GROUPS: dict[str, type[Any]] = {
    "server": Server,
    "data": Data,
    "auth": Auth,
    "ingest": Ingest,
    "cors": Cors,
    "storage": Storage,
    "retention": Retention,
    "costs": Costs,
    "issues": Issues,
    "dashboards": Dashboards,
    "alerting": Alerting,
    "anomalies": Anomalies,
    "slo": Slo,
    "notifications": Notifications,
    "egress": Egress,
    "health": Health,
    "reports": Reports,
    "genai": GenAi,
    "query": Query,
    "log": Log,
}


def _rows(group: str, owner: type[Any]) -> list[Setting]:
    rows = []
    for entry in dataclasses.fields(owner):
        name = f"{group}.{entry.name.removesuffix('_ns')}"
        env = entry.metadata["env"] or "SPANGLASS_" + name.upper().replace(".", "_")
        rows.append(
            Setting(
                name=name,
                group=group,
                attribute=entry.name,
                type=entry.metadata["type"],
                default=entry.default,
                help=entry.metadata["help"],
                env=env,
                flag=entry.metadata["flag"],
            )
        )
    return rows


#: Every setting by its dotted name, in the order of the table.
TABLE: dict[str, Setting] = {row.name: row for group, owner in GROUPS.items() for row in _rows(group, owner)}
