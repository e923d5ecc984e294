"""The two clients: the same calls, one that waits and one that is awaited."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from spanglass.client import calls, notified
from spanglass.client.errors import ConflictError
from spanglass.client.health import AsyncHealthCalls, HealthCalls
from spanglass.client.incidents import AsyncIncidentCalls, IncidentCalls
from spanglass.client.retrying import Retrying
from spanglass.client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from spanglass.client.answers import Alert, AlertList, MetricPage, Severity, SystemStatus, Threshold
    from spanglass.client.calls import Call
    from spanglass.client.notified import DeliveryList, Explanation, OnCall, Silence
    from spanglass.client.transport import Answer

_T = TypeVar("_T")


class _Client:
    """What both share. ``by`` is who changes are made by, where a call does not say: a free name."""

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        by: str = "",
        timeout_s: float = 10.0,
        retrying: Retrying | None = None,
    ) -> None:
        self._transport = Transport(url, token, timeout_s)
        self._retrying = retrying or Retrying()
        self._by = by

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.url

    def _attempt(self, call: Call[Any]) -> Answer:
        return self._transport.attempt(call.method, call.path, call.params, call.body, call.by)

    def _wait_s(self, call: Call[Any], answer: Answer, tried: int) -> float | None:
        """How long to wait before another attempt; None when this answer is the last."""
        return None if answer.error is None or call.once else self._retrying.wait_s(answer.error, tried, answer.asked_s)


class MonitoringClient(_Client, IncidentCalls, HealthCalls):
    """Calls of the monitoring API that wait for their answers. Any thread may use one.

    ``url`` and ``token`` are SPANGLASS_URL and SPANGLASS_READ_TOKEN unless given. Every call makes several attempts
    (``retrying``) of ``timeout_s`` seconds each where no answer comes, or one of 5xx. All errors are ``ClientError``.
    """

    def get_metrics(self, metric_type: str = "", params: Mapping[str, Any] | None = None) -> MetricPage:
        """Measurements of a type (cpu, response_time ...), of all types without one.

        ``params``: ``last`` or ``start`` and ``end``, ``service``, ``host``, ``limit``, ``cursor``.
        """
        return self._run(calls.get_metrics(metric_type, params or {}))

    def get_alerts(self, filters: Mapping[str, Any] | None = None) -> AlertList:
        """Alerts that match: ``status``, ``severity`` (one or several), ``service``, ``host``, ``rule``, ``text`` ...

        The filters are the parameters of ``GET /api/monitoring/alerts/``.
        """
        return self._run(calls.get_alerts(filters or {}))

    def get_alert(self, alert_id: str) -> Alert:
        """One alert with history, notes and evidence; ``NotFoundError``."""
        return self._run(calls.get_alert(alert_id))

    def create_alert(self, title: str, severity: Severity = "warning", *, by: str = "", **fields: Any) -> Alert:
        """Raise an alert. One with the same fingerprint that is open counts one more, and is returned.

        ``fields``: ``description``, ``labels``, ``alert_type``, ``source``, ``owner``, ``runbook``, ``value``,
        ``unit``, ``fingerprint``.
        """
        return self._run(calls.create_alert(title, severity, by or self._by, fields))

    def acknowledge_alert(self, alert_id: str, *, reason: str = "", by: str = "") -> Alert:
        """Say that somebody sees to it; ``ConflictError`` for an alert that is over."""
        return self._run(calls.change_alert(alert_id, "acknowledged", by or self._by, reason))

    def resolve_alert(self, alert_id: str, *, reason: str = "", by: str = "") -> Alert:
        """Say that it is over; ``ConflictError`` for an alert that is dismissed."""
        return self._run(calls.change_alert(alert_id, "resolved", by or self._by, reason))

    def get_thresholds(self) -> tuple[Threshold, ...]:
        """The thresholds of all rules."""
        return self._run(calls.get_thresholds())

    def update_thresholds(
        self, thresholds: Mapping[str, Threshold | Mapping[str, Any]], *, by: str = ""
    ) -> tuple[Threshold, ...]:
        """Change thresholds, by the uid of the rule; they hold from the next evaluation on. All change, or none.

        A change is a ``Threshold``, or some of its fields: ``{"checkout-errors": {"warning_threshold": 0.1}}``; None
        goes back to what the rule says. Returns the thresholds of these rules.
        """
        return self._run(calls.update_thresholds(thresholds, by or self._by))

    def get_system_status(self) -> SystemStatus:
        """The state of the server, and of the evaluation of its rules."""
        return self._run(calls.get_system_status())

    def get_silences(self, state: str = "open") -> tuple[Silence, ...]:
        """Silences: ``open`` (pending and active ones), ``pending``, ``active``, ``expired`` or ``all``."""
        return self._run(notified.get_silences(state))

    def create_silence(self, matchers: str | Sequence[str], duration: str, comment: str, *, by: str = "") -> Silence:
        """Silence alerts that match all matchers (``service="shop"``) for a duration (``2h``); the comment says why."""
        return self._run(notified.create_silence(matchers, duration, comment, by or self._by))

    def end_silence(self, silence_id: str, *, by: str = "") -> Silence:
        """End a silence now; ``NotFoundError``."""
        return self._run(notified.end_silence(silence_id, by or self._by))

    def explain_alert(self, alert: str | Mapping[str, str], severity: Severity | None = None) -> Explanation:
        """Who hears of an alert, by its id, or of one that could be, by its labels; and why."""
        return self._run(notified.explain(alert, severity))

    def get_deliveries(self, filters: Mapping[str, Any] | None = None) -> DeliveryList:
        """What was told, newest first: ``state``, ``channel``, ``alert``, ``text``, ``last``, ``limit``, ``cursor``."""
        return self._run(notified.get_deliveries(filters or {}))

    def get_on_call(self, at: str = "now") -> tuple[OnCall, ...]:
        """Who is on call in each rota, now or at another time (RFC 3339, ``now+8h``)."""
        return self._run(notified.get_on_call(at))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, call: Call[_T]) -> _T:
        answer, tried = self._attempt(call), 1
        while (wait_s := self._wait_s(call, answer, tried)) is not None:
            time.sleep(wait_s)
            answer, tried = self._attempt(call), tried + 1
        if isinstance(answer.error, ConflictError) and call.wanted and tried > 1:
            found = self._attempt(calls.Call("GET", call.path, call.read, {}))
            answer = found if _has(found, call.wanted) else answer
        return _result(call, answer)


class AsyncMonitoringClient(_Client, AsyncIncidentCalls, AsyncHealthCalls):
    """The same calls to be awaited: each attempt is made in a thread of the loop's pool, and waits are the loop's."""

    async def get_metrics(self, metric_type: str = "", params: Mapping[str, Any] | None = None) -> MetricPage:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_metrics(metric_type, params or {}))

    async def get_alerts(self, filters: Mapping[str, Any] | None = None) -> AlertList:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_alerts(filters or {}))

    async def get_alert(self, alert_id: str) -> Alert:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_alert(alert_id))

    async def create_alert(self, title: str, severity: Severity = "warning", *, by: str = "", **fields: Any) -> Alert:
        """See ``MonitoringClient``."""
        return await self._run(calls.create_alert(title, severity, by or self._by, fields))

    async def acknowledge_alert(self, alert_id: str, *, reason: str = "", by: str = "") -> Alert:
        """See ``MonitoringClient``."""
        return await self._run(calls.change_alert(alert_id, "acknowledged", by or self._by, reason))

    async def resolve_alert(self, alert_id: str, *, reason: str = "", by: str = "") -> Alert:
        """See ``MonitoringClient``."""
        return await self._run(calls.change_alert(alert_id, "resolved", by or self._by, reason))

    async def get_thresholds(self) -> tuple[Threshold, ...]:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_thresholds())

    async def update_thresholds(
        self, thresholds: Mapping[str, Threshold | Mapping[str, Any]], *, by: str = ""
    ) -> tuple[Threshold, ...]:
        """See ``MonitoringClient``."""
        return await self._run(calls.update_thresholds(thresholds, by or self._by))

    async def get_system_status(self) -> SystemStatus:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_system_status())

    async def get_silences(self, state: str = "open") -> tuple[Silence, ...]:
        """See ``MonitoringClient``."""
        return await self._run(notified.get_silences(state))

    async def create_silence(
        self, matchers: str | Sequence[str], duration: str, comment: str, *, by: str = ""
    ) -> Silence:
        """See ``MonitoringClient``."""
        return await self._run(notified.create_silence(matchers, duration, comment, by or self._by))

    async def end_silence(self, silence_id: str, *, by: str = "") -> Silence:
        """See ``MonitoringClient``."""
        return await self._run(notified.end_silence(silence_id, by or self._by))

    async def explain_alert(self, alert: str | Mapping[str, str], severity: Severity | None = None) -> Explanation:
        """See ``MonitoringClient``."""
        return await self._run(notified.explain(alert, severity))

    async def get_deliveries(self, filters: Mapping[str, Any] | None = None) -> DeliveryList:
        """See ``MonitoringClient``."""
        return await self._run(notified.get_deliveries(filters or {}))

    async def get_on_call(self, at: str = "now") -> tuple[OnCall, ...]:
        """See ``MonitoringClient``."""
        return await self._run(notified.get_on_call(at))

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._transport.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, call: Call[_T]) -> _T:
        answer, tried = await asyncio.to_thread(self._attempt, call), 1
        while (wait_s := self._wait_s(call, answer, tried)) is not None:
            await asyncio.sleep(wait_s)
            answer, tried = await asyncio.to_thread(self._attempt, call), tried + 1
        if isinstance(answer.error, ConflictError) and call.wanted and tried > 1:
            found = await asyncio.to_thread(self._attempt, calls.Call("GET", call.path, call.read, {}))
            answer = found if _has(found, call.wanted) else answer
        return _result(call, answer)


def _has(answer: Answer, status: str) -> bool:
    """Whether an alert has a status: an attempt whose answer was lost has given it that."""
    return answer.error is None and answer.content.get("status") == status


def _result(call: Call[_T], answer: Answer) -> _T:
    if answer.error is not None:
        raise answer.error
    return call.read(answer.content)
