"""Rules, alerts and what becomes of them in an application: ``AlertManager``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from spanglass.api.analysis.figures import Figures, numbers_of
from spanglass.api.config import MonitoringConfig
from spanglass.clock import SYSTEM
from spanglass.errors import AlertError
from spanglass.monitoring.alerts import Processed
from spanglass.monitoring.book import AlertBook
from spanglass.monitoring.evaluating import RuleStates
from spanglass.monitoring.raising import Said, follow, raise_one
from spanglass.monitoring.routing import ANY_TYPE, deliver, log_alert
from spanglass.monitoring.rules import AlertRule, checked
from spanglass.process.forking import in_child_while_alive
from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.client.client import AsyncMonitoringClient
    from spanglass.clock import Clock
    from spanglass.monitoring.alerts import Alert, AlertEntry
    from spanglass.monitoring.routing import Tell
    from spanglass.monitoring.server import ServerAlerts

__all__ = ["AlertManager"]

_SERVER = "server"


class AlertManager:
    """Checks figures against rules, keeps the alerts they raise, and tells handlers, channels and the server of them.

    ``config`` is the part ``monitoring`` of a configuration: ``alerting`` (enabled, channels, url, token, timeout,
    source) and ``alert_rules``. With ``alerting.url`` or a ``client`` alerts are on that server too. Checks and changes
    may come from any thread; what is awaited belongs to one event loop. A forked child keeps rules and handlers only.
    """

    def __init__(
        self,
        config: MonitoringConfig | Mapping[str, Any] | None = None,
        *,
        client: AsyncMonitoringClient | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._config = MonitoringConfig.of(config)
        self._source = self._config.source or "application"
        self._clock = clock
        self._states = RuleStates()
        self._handlers: dict[str, list[Tell]] = {}
        self._channels: dict[str, Tell] = {}
        self.renew()
        self._server = self._server_of(client)
        for written in self._config.alert_rules:
            self.add_rule(AlertRule.of(written))
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all alerts and states."""
        self._lock = threading.RLock()
        self._book = AlertBook(self._clock.unix_ns)
        self._unsent: dict[str, None] = {}
        self._states.renew()

    # rules, handlers, channels

    def add_rule(self, rule: AlertRule | Mapping[str, Any]) -> None:
        """Add a rule, or replace the one of its name. ``AlertError`` says what is wrong with it, and where."""
        rule = AlertRule.of(rule)
        prepared = checked(rule, self._known_channels())
        with self._lock:
            self._states.put(rule, prepared)

    def remove_rule(self, name: str) -> None:
        """Take a rule away; alerts that it raised stay open until somebody resolves them."""
        with self._lock:
            self._states.remove(name)

    def rules(self) -> dict[str, AlertRule]:
        """The rules by name."""
        with self._lock:
            return self._states.rules()

    def add_handler(self, alert_type: str, handler: Tell) -> None:
        """Call a function or coroutine function with each alert of a type, ``"*"`` for types that have none.

        It is called when an alert fires, when it becomes more severe, and when it is over: see ``alert.status``.
        """
        if not callable(handler):
            raise AlertError(f"handler of {alert_type!r}: {handler!r} is no function to call")
        with self._lock:
            self._handlers.setdefault(alert_type, []).append(handler)

    def add_channel(self, name: str, channel: Tell) -> None:
        """Send the alerts of rules that name this channel with a function or coroutine function."""
        if not callable(channel):
            raise AlertError(f"channel {name!r}: {channel!r} is no function to call")
        with self._lock:
            self._channels[name] = channel

    # checking and raising

    def check_metrics(self, metrics: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Alert | None:
        """Check figures against all rules, and give the most urgent alert that waits to be processed, or None.

        ``metrics`` are ``Figures``, numbers by name, or what ``MetricsCollector.get_metrics()`` gives; ``labels`` tell
        what they are of, and each set of labels has alerts of its own. A rule is checked if it is about one of the
        numbers. An alert is given until ``process_alert`` has taken it; others that fire wait for the next check, or
        for ``process_waiting``.
        """
        if not self._config.alerting_enabled:
            return None
        figures = metrics if isinstance(metrics, Figures) else None
        own = {**(figures.labels if figures is not None else {}), **(labels or {})}
        now_ns = self._clock.unix_ns()
        time_ns = figures.time_ns if figures is not None and figures.time_ns else now_ns
        with self._lock:
            for evaluated in self._states.evaluate(numbers_of(metrics), own, time_ns, now_ns):
                follow(self._book, evaluated, self._source)
            return next((each for each in self._book.waiting() if each.is_open), None)

    async def send_alert(
        self,
        rule: AlertRule | str,
        message: str,
        *,
        severity: str = "",
        labels: Mapping[str, str] | None = None,
        value: float | None = None,
    ) -> Alert:
        """Raise an alert by hand, in the name of a rule, and process it.

        While one of the same rule and labels is open it is counted, and nobody is told again. ``AlertError`` for a name
        that is no rule.
        """
        rule = self._rule(rule)
        level = _severity(severity or rule.severity)
        with self._lock:
            key = tuple(sorted((labels or {}).items()))
            made = raise_one(self._book, rule, key, Said(level, value, message, message), self._source)
        await self.process_alert(made)
        return self.alert(made.id)

    async def process_alert(self, alert: Alert) -> Processed:
        """Tell of an alert: handlers of its type, its channels, the server, all at once; each is a row of history.

        Nobody is told twice of what was processed already. What fails is in ``errors``, and in the way of nothing.
        """
        with self._lock:
            alert = self._book.adopt(alert)
            if not self._book.take(alert.id):
                return Processed(alert)
            receivers = self._receivers(alert)
        return await self._delivered(alert, receivers)

    async def process_waiting(self) -> list[Processed]:
        """Process all alerts that wait, those that are over among them, the most urgent first.

        What the server did not get before, while it was away, it gets now.
        """
        with self._lock:
            unsent = [self._book.alert(each) for each in self._unsent if self._book.is_kept(each)]
            self._unsent.clear()
            waiting = self._book.waiting()
        server = self._server_receiver()
        again = [await self._delivered(each, server) for each in unsent if each not in waiting]
        return again + [await self.process_alert(each) for each in waiting]

    async def _delivered(self, alert: Alert, receivers: dict[tuple[str, str], Tell]) -> Processed:
        deliveries = await deliver(alert, receivers, self._config.delivery_timeout_s)
        with self._lock:
            for each in deliveries:
                kind = "delivered" if each.error is None else "not_delivered"
                self._book.write(alert.id, kind, f"{each.to} {each.name}" if each.error is None else str(each.error))
                if each.to == _SERVER and each.error is not None:
                    self._unsent[alert.id] = None
            return Processed(self._book.alert(alert.id), deliveries)

    # what there is, and what people do with it

    def alert(self, alert_id: str) -> Alert:
        """One alert as it stands; ``AlertError`` for an id that there is not."""
        with self._lock:
            return self._book.alert(alert_id)

    def active_alerts(self) -> list[Alert]:
        """The alerts that are active or acknowledged, the most urgent first."""
        with self._lock:
            return sorted((each for each in self._book.alerts() if each.is_open), key=lambda each: -each.priority)

    def alerts(self) -> list[Alert]:
        """All alerts that are kept, the newest first: those that are open, and the last thousand."""
        with self._lock:
            return self._book.alerts()

    def history(self, alert_id: str = "") -> list[AlertEntry]:
        """What became of one alert, or of all, oldest first."""
        with self._lock:
            return [each for each in self._book.entries if not alert_id or each.alert_id == alert_id]

    def acknowledge(self, alert_id: str, *, by: str = "", reason: str = "") -> Alert:
        """Say that somebody sees to it; ``AlertError`` for one that is over."""
        return self._change(alert_id, Status.ACKNOWLEDGED, by, reason)

    def resolve(self, alert_id: str, *, by: str = "", reason: str = "") -> Alert:
        """Say that it is over."""
        return self._change(alert_id, Status.RESOLVED, by, reason)

    def dismiss(self, alert_id: str, *, by: str = "", reason: str = "") -> Alert:
        """Say that it was none."""
        return self._change(alert_id, Status.DISMISSED, by, reason)

    async def close(self) -> None:
        """Process what waits, and close the connections to the server."""
        await self.process_waiting()
        if self._server is not None:
            await self._server.close()

    def _change(self, alert_id: str, status: Status, by: str, reason: str) -> Alert:
        with self._lock:
            return self._book.change_status(self._book.alert(alert_id), status, by, reason)

    def _rule(self, rule: AlertRule | str) -> AlertRule:
        if isinstance(rule, AlertRule):
            return rule
        rules = self.rules()
        if rule not in rules:
            raise AlertError(f"there is no rule {rule!r}: add it, or pass the rule itself")
        return rules[rule]

    def _receivers(self, alert: Alert) -> dict[tuple[str, str], Tell]:
        handlers = self._handlers.get(alert.alert_type) or self._handlers.get(ANY_TYPE) or [log_alert]
        receivers: dict[tuple[str, str], Tell] = {
            ("handler", f"{alert.alert_type}#{place}" if place else alert.alert_type): handler
            for place, handler in enumerate(handlers)
        }
        for name in alert.channels:
            if name in self._channels:
                receivers["channel", name] = self._channels[name]
        return receivers | self._server_receiver()

    def _server_receiver(self) -> dict[tuple[str, str], Tell]:
        return {} if self._server is None else {(_SERVER, self._server.url): self._server.tell}

    def _known_channels(self) -> list[str]:
        """The names that rules may give, if any are known: channels that are only the server's are in the config."""
        return sorted({*self._config.channels, *self._channels}) if self._config.channels else []

    def _server_of(self, client: AsyncMonitoringClient | None) -> ServerAlerts | None:
        if client is None and not self._config.url:
            return None
        from spanglass.client.client import AsyncMonitoringClient as Client  # noqa: PLC0415 - imports requests
        from spanglass.monitoring.server import ServerAlerts  # noqa: PLC0415

        def known(alert_id: str, server_id: str) -> None:
            with self._lock:
                self._book.known_to_server(alert_id, server_id)

        made = client or Client(self._config.url, self._config.token, by=self._source)
        return ServerAlerts(made, known)


def _severity(name: str) -> Severity:
    try:
        return Severity(name)
    except ValueError:
        known = ", ".join(each.value for each in Severity)
        raise AlertError(f"{name!r} is no severity: there are {known}") from None
