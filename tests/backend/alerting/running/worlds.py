"""A small world for the alerter: samples, rules, a clock set by hand, and a store that can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Failure, Readings
from spanglass_server.alerting.ports import AlertFilter, Found
from spanglass_server.alerting.running.alerter import Alerter
from spanglass_server.alerting.running.around import Around, Bounds
from spanglass_server.alerting.running.schedule import Pace
from spanglass_server.alerting.running.texts import PlainTexts
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.self_metrics.registry import Telemetry

S = 10**9
STEP_S = 15
DELAY_S = 5
START_S = 1_800_000_000  # a multiple of 15
_LOOKBACK_S = 30
_ALL = AlertFilter()


def key(service):
    """Return the key of a service."""
    return (("service_name", service),)


def rule(uid="errors", **fields):
    """Return a rule that warns above 10 and is critical above 20."""
    return Rule(**{"uid": uid, "name": uid, "condition": f"{uid} > 10", "warning": 10.0, "critical": 20.0, **fields})


class Book:
    """Rules, as somebody edits them."""

    def __init__(self, *rules):
        self.found = {}
        self.wrong = ()
        self.put(*rules)

    def put(self, *rules):
        """Add rules, or replace those with the same uid."""
        self.found |= {each.uid: Found(each, "kept", "", "1") for each in rules}

    def edit(self, uid, **fields):
        """Change a rule."""
        self.put(replace(self.found[uid].rule, **fields))

    def rules(self):
        """See ``RuleBook``."""
        return dict(self.found)

    def problems(self):
        """See ``RuleBook``."""
        return self.wrong


class Samples:
    """What is stored: values by rule, service and second, and the evaluation of rules over them."""

    def __init__(self):
        self.values = {}
        self.seconds = set()  # at which any value came in
        self.broken = {}  # by uid: why, or an error that is raised
        self.asked = []

    def put(self, second, value, service="shop", uid="errors"):
        """Store a value; ``second`` counts from the start of the world."""
        self.values.setdefault(uid, {}).setdefault(service, {})[START_S + second] = value
        self.seconds.add(START_S + second)

    def evaluate(self, session, rules, steps):
        """See ``Evaluator``: the last value of 30 seconds."""
        del session
        times = [steps.start_ms // 1000 + place * steps.step_ms // 1000 for place in range(steps.size)]
        self.asked.append((tuple(each.uid for each in rules), times[0] - START_S, steps.size))
        for each in rules:
            if isinstance(self.broken.get(each.uid), Exception):
                raise self.broken[each.uid]
        return {each.uid: self._of(each, times) for each in rules}

    def _of(self, rule_, times):
        if rule_.uid in self.broken:
            return Failure(self.broken[rule_.uid])
        # a live evaluation knows only services with a value; one of many steps all that have one at any of them
        found = {name: [_at(known, t) for t in times] for name, known in self.values.get(rule_.uid, {}).items()}
        found = {name: values for name, values in found.items() if not np.isnan(values).all()}
        values = np.array(list(found.values()), dtype=np.float64).reshape(len(found), len(times))
        with np.errstate(invalid="ignore"):
            warn, bad = values > rule_.warning, values > rule_.critical
            holding = np.where(values > 0.95 * rule_.critical, 4, np.where(values > 0.95 * rule_.warning, 2, 0))
        return Readings(
            times_ns=np.array(times, dtype=np.int64) * S,
            keys=tuple(key(name) for name in found),
            values=values,
            levels=np.where(bad, Severity.CRITICAL.rank, np.where(warn, Severity.WARNING.rank, 0)).astype(np.int8),
            recovered=~(values > 0.95 * rule_.warning),
            holding=holding.astype(np.int8),
        )

    def check(self, rule):
        """See ``Evaluator``."""
        return Failure(self.broken[rule.uid]) if rule.uid in self.broken else None

    def live(self, session, steps):
        """See ``silence.live``: whether any value came in during 30 s."""
        del session
        times = [steps.start_ms // 1000 + place * steps.step_ms // 1000 for place in range(steps.size)]
        return np.array([any(second in self.seconds for second in range(t - 29, t + 1)) for t in times])

    def first_ns(self, signal):
        """See ``QuerySession``."""
        del signal
        return 0 if self.values else None


def _at(values, time_s):
    return next((values[second] for second in range(time_s, time_s - _LOOKBACK_S, -1) if second in values), np.nan)


class Crash(BaseException):
    """The process dies here."""


class FailingStore(MemoryAlertStore):
    """A store whose commits fail: ``fails`` says for each whether before it was made, after, or not ("")."""

    def __init__(self, fails=(), error=Crash):
        super().__init__()
        self.fails = list(fails)
        self.error = error

    def commit(self, tick):
        """See ``AlertStore``."""
        fails = self.fails.pop(0) if self.fails else ""
        if fails == "before":
            raise self.error
        super().commit(tick)
        if fails == "after":
            raise self.error


class World:
    """All of it together; times are in seconds since the start of the world."""

    def __init__(self, *rules, store=None, **bounds):
        self.second = 0
        self.book = Book(*(rules or (rule(),)))
        self.samples = Samples()
        self.store = MemoryAlertStore() if store is None else store
        self.telemetry = Telemetry()
        self.opened = []
        self._bounds = bounds
        self.start()

    def start(self):
        """Start the alerter, anew if it runs."""
        bounds = self._bounds
        pace = Pace(STEP_S * S, DELAY_S * S, bounds.get("catch_up_s", 3600) * S, bounds.get("together_s", 0) * S)
        self.around = Around(
            book=self.book,
            store=self.store,
            evaluator=self.samples,
            texts=lambda _: PlainTexts(),
            ask=lambda query: query(self.samples),
            clock_ns=lambda: (START_S + self.second) * S,
            telemetry=self.telemetry,
            opened=lambda rule_, alert, readings: self.opened.append((rule_.uid, alert.id, readings)),
            live=self.samples.live,
            quiet_ns=30 * S,
        )
        self._limits = Bounds(pace, self._bounds.get("max_keys", 1000), 300 * S)
        self.alerter = Alerter(self.around, self._limits)

    def listen(self, opened):
        """Start the alerter anew, with somebody to tell of alerts that open."""
        self.alerter = Alerter(replace(self.around, opened=opened), self._limits)

    def step(self, second=None):
        """Let the alerter do all that is due at a time."""
        self.second = self.second if second is None else second
        needed, before = self.alerter.has_news(), (dict(self.store.ticked_ns()), self.store.version())
        while self.alerter.step():
            pass
        assert needed or (dict(self.store.ticked_ns()), self.store.version()) == before, "it was needed all the same"

    def run(self, until, *, every=STEP_S):
        """Let time pass, with a step a few seconds after each tick; one that crashes starts anew."""
        for second in range(self.second // every * every + every, until + 1, every):
            self.second = second + DELAY_S + 1
            try:
                self.step()
            except Crash:
                self.start()

    def alerts(self, **wanted):
        """Return all alerts of rules, the earliest first."""
        found = list(self.store.alerts(AlertFilter(**wanted) if wanted else _ALL, limit=10_000))[::-1]
        return found if wanted else [alert for alert in found if alert.source == "rule"]

    def told(self):
        """Return the history of each alert of a rule in words: rule, service, second and kind of each entry."""
        return [
            (
                alert.rule_uid,
                alert.key[0][1],
                alert.status.value,
                *((entry.time_ns // S - START_S, entry.kind, entry.text) for entry in self.store.history(alert.id)),
            )
            for alert in sorted(self.alerts(), key=lambda alert: (alert.created_ns, alert.rule_uid, alert.key))
        ]
