"""The health checks of one server, put together: what runs them, stores what comes out, and judges components."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.severity import Severity
from spanglass_core.attribute_names import HEALTH_CHECK_NAME
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.store.filters import host_of, service_of
from spanglass_server.egress.egress import Egress
from spanglass_server.egress.policy import Policy
from spanglass_server.health import book
from spanglass_server.health.calls import CallTokens, open_key
from spanglass_server.health.components.applications import application_checks
from spanglass_server.health.components.board import HealthBoard, Heard
from spanglass_server.health.components.ledger import Ledger
from spanglass_server.health.components.telemetry import HeardSeldom, OpenAlert, Thresholds, telemetry_components
from spanglass_server.health.desk import HealthDesk
from spanglass_server.health.model import Component, Status
from spanglass_server.health.own_checks import Defaults, OwnChecks
from spanglass_server.health.running.around import Around, Clocks
from spanglass_server.health.running.results import Results
from spanglass_server.health.running.runner import CheckRunner
from spanglass_server.health.store.sqlite import FILE_NAME, HealthStore
from spanglass_server.ingest.ports import IngestError
from spanglass_server.query.window import clamp
from spanglass_server.self_metrics import registry as own
from spanglass_server.store.disk import DISK
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.ingest.ports import Ingest
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession

_KEPT: Final = "checks"
_KEY: Final = "heartbeats.key"
_LISTEN_EVERY_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.5
_REFRESH_ANYHOW: Final = 5  # of so many looks one refreshes though nothing is known to have changed
_HOSTS_EVERY: Final = 4  # so many times telemetry is listened to: hosts are measured once a minute
_CALLS_EVERY: Final = 2  # and calls, which components of databases and others are made of, every 30 s
_PURGE_EVERY_S: Final = 3600.0
#: Then the disk hangs; what was to be stored may still be.
_PATIENCE_S: Final = 10.0
_MOST_ALERTS: Final = 1000
#: What an open alert means for what it is about.
_MEANING: Final = {
    Severity.CRITICAL: Status.UNHEALTHY,
    Severity.ERROR: Status.DEGRADED,
    Severity.WARNING: Status.DEGRADED,
    Severity.INFO: Status.HEALTHY,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How often results are stored, and everything is put together, in seconds."""

    store_s: float = 1.0
    refresh_s: float = 1.0


class Turns:
    """Times of the clock at regular intervals: those at which alert rules are evaluated, if their interval is the same.

    Both have what came in since made columns first, which costs as much for little as for all of it.
    """

    def __init__(self, every_ns: int, delay_ns: int, clock_ns: Callable[[], int]) -> None:
        self._every_ns, self._delay_ns, self._clock_ns = every_ns, delay_ns, clock_ns
        self.begin()

    def begin(self) -> None:
        """Begin the turn of now."""
        self._turn = self._now()

    def is_over(self) -> bool:
        """Whether another has begun; the clock may have been set back."""
        return self._turn != self._now()

    def _now(self) -> int:
        return (self._clock_ns() - self._delay_ns) // self._every_ns


class Health:
    """The health of one data directory, and ``desk``, which is what API and pages use.

    Runs from the constructor on. Raises ``OSError`` or ``HealthStoreError`` when the directory can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        alerts: AlertStore,
        clock_ns: Callable[[], int],
        pace: Pace | None = None,
    ) -> None:
        pace = pace or Pace()
        self._settings = settings.health
        self._node = node
        self._series = series
        self._alerts = alerts
        self._clock_ns = clock_ns
        self._stop = Stop()
        directory = settings.data.dir.resolve()
        tokens = CallTokens(open_key(directory / _KEY, DISK))
        checks = book.Book(settings.file, directory / _KEPT, DISK, clock_ns)
        self._store = HealthStore(directory / FILE_NAME)
        defaults = Defaults(self._settings.enabled, self._settings.check_interval_ns, self._settings.timeout_ns)
        self._results = Results(self._store, OtlpSink(node.ingest), clock_ns)
        self._runner = CheckRunner(
            Around(
                book=checks,
                store=self._store,
                egress=egress_of(settings),
                results=self._results,
                defaults=defaults,
                clocks=Clocks(clock_ns, time.monotonic_ns),
                telemetry=telemetry,
            )
        )
        written = OwnChecks(checks, self._runner, defaults)
        self._board = HealthBoard(
            written.views,
            self._itself,
            self._hear,
            Ledger(self._store),
            clock_ns,
            self._settings.window_ns,
        )
        self.desk = HealthDesk(written, self._store, self._board, tokens, clock_ns)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(lambda: self._supervisor.problems)
        telemetry.watch(own.HEALTH_CHECKS, self._checks_by_status)
        every, listen = self._supervisor.every, self._stop.unless_stopped(self._listen)
        listen_s = min(_LISTEN_EVERY_S, self._settings.check_interval_ns / 1e9)
        self._turns = Turns(int(listen_s * 1e9), settings.alerting.delay_ns, clock_ns)
        self._seldom = HeardSeldom(int(_HOSTS_EVERY * listen_s * 1e9), int(_CALLS_EVERY * listen_s * 1e9))
        self._tasks = [
            self._supervisor.start("health checks", self._runner.step),
            every(pace.store_s, "results of checks", self._results.flush, self._results.has_news),
            every(min(listen_s, _LOOK_EVERY_S), "health of telemetry", listen, self._turns.is_over),
            every(pace.refresh_s, "health", self._board.refresh, lambda: self._has_news(pace.refresh_s)),
        ]
        if self._settings.keep_history_ns:
            self._tasks.append(every(_PURGE_EVERY_S, "health purge", self._purge))

    def _has_news(self, refresh_s: float) -> bool:
        """Whether components may have changed; results of the server's own checks come at any moment."""
        return not self._runner.is_idle or self._board.has_news(int(_REFRESH_ANYHOW * refresh_s * 1e9))

    def _listen(self) -> None:
        self._turns.begin()
        self._board.listen()

    def _hear(self, now_ns: int) -> Heard:
        alerts = self._open_alerts()
        percents = self._settings.degraded_errors_percent, self._settings.unhealthy_errors_percent
        thresholds = Thresholds(*(percent / 100 for percent in percents))
        window = clamp(now_ns - self._settings.window_ns, now_ns)

        def ask(session: QuerySession) -> Heard:
            return Heard(
                telemetry_components(session, window, thresholds, alerts, self._seldom),
                application_checks(session, self._series(session), now_ns),
            )

        heard: Any = self._node.engine.run_here(ask, self._stop, gives_way=True)
        return heard  # type: ignore[no-any-return]

    def _open_alerts(self) -> list[OpenAlert]:
        found = self._alerts.alerts(AlertFilter(statuses=tuple(OPEN)), limit=_MOST_ALERTS)
        return [_open_alert(alert) for alert in found if not _is_of_check(alert)]

    def _itself(self) -> Component:
        """How this server is: unhealthy if it takes no records, degraded if anything else is wrong."""
        problems = self._node.problems
        status = Status.HEALTHY if not problems else Status.DEGRADED
        if self._node.ingest.health is not None:
            status = Status.UNHEALTHY
        return Component(
            uid="system-spanglass-server",
            name="Spanglass server",
            area="system",
            status=status,
            last_ns=self._clock_ns(),
            reason="; ".join(problems),
            sources=("server",),
        )

    def _purge(self) -> None:
        self._store.purge(self._clock_ns() - self._settings.keep_history_ns)

    def _checks_by_status(self) -> Mapping[tuple[str, ...], float]:
        return Counter((str(view.status),) for view in self.desk.checks() if view.enabled)

    def close(self) -> None:
        """Cancel what runs, store what came out, and release the files."""
        self._supervisor.stop()
        self._runner.stop()
        self._stop.until_ended(self._tasks)
        with suppress(OSError):  # the disk is full or gone: it was told of as a problem
            self._results.flush()
        self._store.close()


class OtlpSink:
    """Stores telemetry of the server's own in ingest, as if it had been sent; for threads without an event loop."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def store(self, signal: Signal, body: bytes) -> str:
        """Store an export request of OTLP; why nothing was stored, or ""."""
        return asyncio.run(self._store(signal, body))

    async def _store(self, signal: Signal, body: bytes) -> str:
        try:
            accepted = await asyncio.wait_for(self._ingest.submit(signal, body), _PATIENCE_S)
        except IngestError as error:
            return f"not stored: {error}"
        except TimeoutError:
            return f"not stored within {_PATIENCE_S:g} s"
        return f"{accepted.rejected} were not stored: {accepted.message}" if accepted.rejected else ""


def egress_of(settings: Settings) -> Egress:
    """The way out of the server, by its settings."""
    return Egress(Policy.of(settings.egress.allow), settings.egress.proxy.reveal())


def _open_alert(alert: Alert) -> OpenAlert:
    return OpenAlert(service_of(alert), host_of(alert), _MEANING[alert.severity], alert.title)


def _is_of_check(alert: Alert) -> bool:
    """Whether an alert tells of a health check, which tells of itself."""
    return HEALTH_CHECK_NAME in alert.labels or HEALTH_CHECK_NAME.replace(".", "_") in alert.labels


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the checks of the settings file, without a data directory."""
    return book.problems_of(settings.file)
