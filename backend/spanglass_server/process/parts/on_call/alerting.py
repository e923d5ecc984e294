"""Alerting of one server, put together: rules, their evaluation, and the alerts they lead to."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.baselines.ahead import StoredForecasts
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.evaluation.evaluator import Defaults, RuleEvaluator
from spanglass_server.alerting.evidence.gathering import Evidences, Timing
from spanglass_server.alerting.posted import PostedAlerts
from spanglass_server.alerting.problems.companions import companions
from spanglass_server.alerting.problems.joining import Joiner
from spanglass_server.alerting.rules.recording.recorder import GroupRecorder
from spanglass_server.alerting.running.alerter import Alerter
from spanglass_server.alerting.running.around import Around, Bounds
from spanglass_server.alerting.running.gathering import Gatherer
from spanglass_server.alerting.running.schedule import Pace
from spanglass_server.alerting.running.templates import TemplateTexts
from spanglass_server.alerting.store.sqlite import FILE_NAME, SqliteAlertStore
from spanglass_server.process.parts.on_call.alert_rules import open_book
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.disk import DISK
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.supervision import Supervisor
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Alert, Readings
    from spanglass_server.alerting.rules.sources.files import RuleSource
    from spanglass_server.alerting.watching.status import AlerterStatus
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.supervision import Task

_LOOK_EVERY_S = 0.5  # whether something is due
_POSTED_EVERY_S = 1.0
_PURGE_EVERY_S = 600.0
#: Ticks that no alert can come of yet wait so long for each other: two at once cost as much as one.
_TOGETHER_NS = 60 * NS_PER_SECOND
_OFF = "no rule is evaluated: alerting.enabled is false in the settings"


class Alerting:
    """The alerts of one data directory: ``desk``, which is what API and pages use, and ``posted``, for other clients.

    Runs from the constructor on. Raises ``OSError`` or ``AlertStoreError`` when the directory can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        clock_ns: Callable[[], int],
        more_rules: Sequence[RuleSource] = (),
    ) -> None:
        self._settings = settings.alerting
        self._engine = node.engine
        self._clock_ns = clock_ns
        self._stop = Stop()
        self._store = SqliteAlertStore(settings.data.dir.resolve() / FILE_NAME)
        around = self._around(settings, telemetry, node, series, more_rules)
        gatherer = Gatherer(_evidence(settings, node, around), around)
        joiner = Joiner(self._store, self._companions, clock_ns)

        def opened(rule: Rule, alert: Alert, readings: Readings) -> None:
            joiner.offer(alert)
            gatherer.offer(rule, alert, readings)

        self._alerter = Alerter(replace(around, opened=opened), _bounds(settings))
        self.desk = Desk(
            around.book,
            self._store,
            around.evaluator,
            self._status,
            clock_ns,
            lambda: str(uuid.uuid4()),
            around.recorder.status if around.recorder is not None else tuple,
        )
        self.posted = PostedAlerts(self.desk, clock_ns)
        self._supervisor = Supervisor(telemetry, pulse=node.pulse)
        node.also(self._problems)
        telemetry.watch(own.ALERT_RULES, self._rules_by_health)
        telemetry.watch(own.ALERTS_FIRING, self._firing_by_severity)
        self._tasks = self._start(gatherer, joiner)

    def _around(
        self,
        settings: Settings,
        telemetry: Telemetry,
        node: StorageNode,
        series: Callable[[QuerySession], StoredSeries],
        more_rules: Sequence[RuleSource],
    ) -> Around:
        book = open_book(settings, DISK, self._clock_ns, more_rules)
        defaults = Defaults(settings.alerting.window_ns, settings.alerting.interval_ns)
        return Around(
            book=book,
            store=self._store,
            evaluator=RuleEvaluator(series, defaults=defaults, baselines=Baselines(), forecasts=StoredForecasts()),
            texts=lambda session: TemplateTexts(None if session is None else series(session)),
            ask=self._ask,
            clock_ns=self._clock_ns,
            telemetry=telemetry,
            stopping=lambda: self._stop.stopped,
            holds=lambda window: node.store.contents.snapshot.holds(window, Signal.SPANS, Signal.LOGS),
            recorder=GroupRecorder(
                book.recordings,
                lambda work: self._ask(lambda session: work(series(session))),
                IngestSink(node.ingest),
                settings.alerting.interval_ns,
                self._clock_ns,
            ),
        )

    def _start(self, gatherer: Gatherer, joiner: Joiner) -> list[Task]:
        every = self._supervisor.every
        tasks = [every(_POSTED_EVERY_S, "posted alerts", self.posted.step, self.posted.has_open)]
        if self._settings.enabled:
            tasks.append(every(_LOOK_EVERY_S, "alerter", self._stop.unless_stopped(self._step), self._alerter.has_news))
            tasks.append(every(_LOOK_EVERY_S, "problems", self._stop.unless_stopped(joiner.step), joiner.has_waiting))
            tasks.append(every(_LOOK_EVERY_S, "evidence", gatherer.step, gatherer.has_waiting))
        if self._settings.keep_alerts_ns:
            tasks.append(every(_PURGE_EVERY_S, "alert purge", self._purge))
        return tasks

    def _ask(self, query: Callable[[QuerySession], Any]) -> Any:
        return self._engine.run_here(query, self._stop, gives_way=True)

    def _companions(self, service: str, before_ns: int) -> frozenset[str]:
        # it is about the ten minutes before an alert, and what the alert follows from was made columns of already
        return self._engine.run_here(
            lambda session: companions(session, service, before_ns), self._stop, needs_newest=False, gives_way=True
        )

    def _status(self) -> AlerterStatus:
        status = self._alerter.status()
        return status if self._settings.enabled else replace(status, problems=(_OFF, *status.problems))

    def _step(self) -> None:
        """Evaluate until nothing is due at once."""
        while self._alerter.step() and not self._stop.stopped:
            pass

    def _purge(self) -> None:
        self._store.purge(self._clock_ns() - self._settings.keep_alerts_ns)

    def _problems(self) -> list[str]:
        return [*self._alerter.problems(), *self._supervisor.problems]

    def _rules_by_health(self) -> Mapping[tuple[str, ...], float]:
        return Counter((str(rule.health),) for rule in self._alerter.status().rules.values())

    def _firing_by_severity(self) -> Mapping[tuple[str, ...], float]:
        firing: Counter[tuple[str, ...]] = Counter()
        for rule in self._alerter.status().rules.values():
            if rule.severity is not None:
                firing[(str(rule.severity),)] += rule.firing
        return firing

    def close(self) -> None:
        """Interrupt what is evaluated, and release the file; what was not committed is evaluated after the start."""
        self._supervisor.stop()
        self._stop.until_ended(self._tasks)
        self._store.close()


def _evidence(settings: Settings, node: StorageNode, around: Around) -> Evidences:
    known = KnownIssues(node.errors.issues, node.errors.tracker.try_observe)
    timing = Timing(interval_ns=settings.alerting.interval_ns, window_ns=settings.alerting.window_ns)
    return Evidences(around.evaluator, around.store, around.book, known, timing)


def _bounds(settings: Settings) -> Bounds:
    alerting = settings.alerting
    pace = Pace(alerting.interval_ns, alerting.delay_ns, alerting.catch_up_ns, _TOGETHER_NS)
    return Bounds(pace, alerting.max_keys, alerting.silence_ns)
