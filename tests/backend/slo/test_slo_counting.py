"""Counting objectives: in the background and at once, whatever comes late or is deleted, and as series for rules."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.evidence.subject import Held, subject_of
from spanglass_server.alerting.rules.templates.expanding import expand
from spanglass_server.alerting.rules.templates.values import Filling
from spanglass_server.forms.book import Found
from spanglass_server.process.parts.analysis.slos import Slos
from spanglass_server.promql.engine import Options, range_query
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.query.services.estimates import PROBABILITY
from spanglass_server.signals import AttributeColumn, ValueType
from spanglass_server.slo.counting.counter import Counter
from spanglass_server.slo.counting.ledger import Ledger
from spanglass_server.slo.counting.minutes import DAY, HOUR, Minutes
from spanglass_server.slo.counting.spans import _slices, count_spans
from spanglass_server.slo.desk import SloDesk
from spanglass_server.slo.model import MINUTE_NS, Objective
from spanglass_server.slo.rules import rules_of
from spanglass_server.slo.series import ObjectiveSeries
from spanglass_server.slo.standing import standings
from spanglass_server.slo.store.store import SloStore
from spanglass_server.store.ports import QueryTimeoutError
from spanglass_server.store.sessions.stopping import Stop

NOW = 29_400_000  # the minute since 1970, of a whole hour
SERVICE = AttributeColumn("resource", "service.name", ValueType.STR).name
SHOP = Objective(uid="shop", name="Shop", target=0.99, spans="service:shop", good="status != error")
FAST = Objective(uid="fast", name="Fast", target=0.9, spans="service:shop", latency_ns=5_000_000)
SITE = Objective(uid="site", name="Site", target=0.99, check="site")


def spans_of(minute, good, bad=0, *, service="shop", kept=1.0, slow=0):
    """Make spans that begin in a minute."""
    rows = []
    for number in range(good + bad):
        row = {
            "trace_id": number.to_bytes(16, "big"),
            "span_id": (number + 1).to_bytes(8, "big"),
            "name": "GET",
            "kind": 2,
            "start_time_ns": minute * MINUTE_NS + number,
            "duration_ns": 9_000_000 if number < slow else 1_000_000,
            "status_code": 0 if number < good else 2,
            SERVICE: service,
        }
        rows.append(row | ({PROBABILITY: kept} if kept < 1 else {}))
    return rows


class World:
    """A server whose spans, checks and clock a test sets."""

    def __init__(self, path, open_tables, objectives):
        self.now = NOW
        self.open_tables = open_tables
        self.objectives = objectives
        self.rows = []
        self.down = {}
        self.opened = None
        self.store = SloStore(path)
        self.begin()

    def begin(self):
        """Begin as after a start of the server."""
        self.ledger = Ledger(self.store, self, lambda: self.now * MINUTE_NS)
        self.counter = Counter(self.ledger, lambda: self.objectives, lambda ask: ask(self.session()), 400 * DAY)

    def session(self):
        """What is stored now."""
        if self.opened is None or self.opened[0] != self.rows:
            session = self.open_tables(spans=self.rows)
            session.first_ns = lambda _, rows=self.rows: min((row["start_time_ns"] for row in rows), default=None)
            self.opened = (list(self.rows), session)
        return self.opened[1]

    def minutes(self, uid, first, last):
        """See ``CheckTimes``: up but for the minutes in ``down``."""
        found = Minutes.none(first, min(last, self.now))
        found.total[:] = 1
        for minute in self.down.get(uid, ()):
            if found.first <= minute < found.last:
                found.bad[minute - found.first] = 1
        return found

    def count(self):
        """Count until nothing is due."""
        for _ in range(200):
            if not self.counter.has_work():
                return
            self.counter.step()
        raise AssertionError("there is always something to count")

    def seen(self, objective, first, last):
        """What is counted between two minutes: all and bad."""
        minutes = self.ledger.view(self.session()).minutes([objective], first, last)[objective.key]
        return minutes.total.sum(), minutes.bad.sum()


@pytest.fixture
def world(tmp_path, open_tables):
    """Yield a function that makes a server with some objectives."""
    made = []

    def make(*objectives):
        made.append(World(tmp_path / f"slo{len(made)}.sqlite", open_tables, objectives))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


def test_spans_count_by_the_minute_they_begin_in(open_tables):
    """Of each objective the spans of its filter count, with those that a sampler left out; good ones are not bad."""
    rows = [
        *spans_of(NOW, 3, 1),
        *spans_of(NOW + 2, 2, 2, kept=0.5, slow=1),
        *spans_of(NOW, 5, service="other"),
        *spans_of(5, 1),  # of a clock that is decades wrong
    ]

    found = count_spans(open_tables(spans=rows), [SHOP, FAST, SITE], NOW, NOW + 3)

    assert found[SHOP.key].total.tolist() == [4, 0, 8]
    assert found[SHOP.key].bad.tolist() == [1, 0, 4]
    assert found[FAST.key].bad.tolist() == [0, 0, 2]
    assert set(found) == {SHOP.key, FAST.key}


def test_counts_stay_and_late_spans_are_added(world):
    """What was before is counted, and what is new, once; deleted spans stay counted, late ones are added."""
    shop = world(SHOP)
    shop.rows = [*spans_of(NOW - 26 * HOUR, 10, 1), *spans_of(NOW - 7 * HOUR, 4), *spans_of(NOW - 1, 2, 2)]
    shop.count()
    everything = (NOW - 10 * DAY, NOW + 3 * DAY)
    assert shop.seen(SHOP, *everything) == (19, 3)
    assert shop.store.hours(SHOP.key, (NOW - 4 * DAY) // HOUR, NOW // HOUR).total.sum() == 15

    shop.rows += spans_of(NOW + 4, 1)  # not kept yet, but seen at once
    shop.now = NOW + 5
    assert shop.seen(SHOP, *everything) == (20, 3)

    view = shop.ledger.view(shop.session())
    hours = (NOW // HOUR - 40, NOW // HOUR + 1)
    assert view.minutes([SHOP], *everything)[SHOP.key].total.sum() == 20
    shop.now = NOW + 12
    shop.count()  # what is kept meanwhile is not counted twice
    assert view.minutes([SHOP], *everything)[SHOP.key].total.sum() == 20
    assert view.hours([SHOP], *hours)[SHOP.key].total.sum() == 20
    assert shop.ledger.view(shop.session()).hours([SHOP], *hours)[SHOP.key].total.sum() == 20

    shop.now = NOW + 30
    shop.rows = spans_of(NOW - 1, 2, 2) + spans_of(NOW + 4, 1) + spans_of(NOW + 3, 0, 1)  # old ones are deleted
    shop.count()
    assert shop.seen(SHOP, *everything) == (21, 4)

    shop.now = NOW + 100
    shop.rows += spans_of(NOW - 2 * HOUR, 7)  # late by hours
    shop.count()
    shop.begin()
    shop.count()
    assert shop.seen(SHOP, *everything) == (28, 4)
    assert shop.ledger.view(shop.session()).since(SHOP) == NOW - 26 * HOUR

    shop.rows += spans_of(NOW - 3 * HOUR, 5)  # late, and the server begins anew within the hour
    shop.now = NOW + 110
    shop.begin()
    assert not shop.counter._is_late_due(shop.now)  # a start alone counts no day anew
    shop.now = NOW + 160
    shop.count()
    assert shop.seen(SHOP, *everything) == (33, 4)

    shop.ledger.forget([SHOP.key], 0, NOW - DAY)
    assert shop.seen(SHOP, *everything) == (22, 3)


def test_what_was_read_before_counts_were_kept_is_not_held(tmp_path):
    """Counts that are kept while another thread reads those before them are what is seen from then on."""
    store = SloStore(tmp_path / "slo.sqlite")
    ledger = Ledger(store, None, lambda: NOW * MINUTE_NS)
    newer = Minutes(NOW, np.full(HOUR, 2.0), np.ones(HOUR))
    read, between = store.minutes, [lambda: ledger.keep({SHOP.key: newer}, {})]

    def minutes(*args):
        found = read(*args)
        while between:
            between.pop()()
        return found

    store.minutes = minutes
    ledger.kept(SHOP.key, NOW, NOW + HOUR)
    assert ledger.kept(SHOP.key, NOW, NOW + HOUR).total.sum() == 2 * HOUR
    store.close()


@pytest.mark.parametrize("objective", [SHOP, SITE])
def test_a_clock_that_was_ahead_costs_nothing(world, objective):
    """Where the clock was years ahead for some steps, all history stays, and what comes from then on is counted."""
    shop = world(objective)
    shop.rows = spans_of(NOW - 3 * DAY, 10)
    shop.now = NOW
    shop.count()
    everything = (NOW - 3 * DAY, NOW + DAY)
    before = shop.seen(objective, *everything)

    for ahead in (2000 * DAY, 2000 * DAY + 10):
        shop.now = NOW + ahead
        shop.counter.step()
        shop.counter.step()
    shop.now = NOW + 10
    shop.rows += spans_of(NOW + 4, 3)
    shop.count()

    assert shop.ledger.reach(objective.key).last <= shop.now
    assert before[0] >= 10
    assert shop.seen(objective, *everything) == (before[0] + (3 if objective is SHOP else 10), before[1])
    shop.now += 20
    shop.rows += spans_of(NOW + 20, 4)
    shop.count()
    assert shop.seen(objective, *everything)[0] == before[0] + (7 if objective is SHOP else 30)


def test_what_is_old_is_forgotten_once_the_clock_is_steady(world):
    """Counts are deleted when they are older than is kept, an hour after the start at the earliest."""
    shop = world(SHOP)
    shop.rows = spans_of(NOW - 3 * DAY, 10)
    shop.count()
    shop.counter = Counter(shop.ledger, lambda: shop.objectives, lambda ask: ask(shop.session()), DAY)

    for minute, left in ((5, 10), (40, 10), (70, 0)):
        shop.now = NOW + minute
        shop.rows = []
        shop.counter.step()
        assert shop.seen(SHOP, NOW - 4 * DAY, NOW)[0] == left


def test_checks_are_counted_by_their_time(world):
    """Of a check each minute counts in which its status is known; it is bad while the check is down."""
    site = world(SITE)
    site.down = {"site": [NOW - 5000, NOW - 3, NOW - 2]}

    site.count()

    assert site.seen(SITE, NOW - DAY, NOW + 5) == (DAY, 2)
    assert site.seen(SITE, NOW - 4 * DAY, NOW + 5) == (4 * DAY, 3)


def test_an_objective_stands_as_it_is_counted(world):
    """Budget, burn rates and the word for it come of what is counted; without events that is said."""
    shop = world(SHOP)
    found = Found(SHOP, "kept", "", "1")
    shop.count()
    (empty,) = standings(shop.ledger.view(shop.session()), [found], NOW)
    assert (empty.status, empty.budget.left, empty.last_event) == ("no_data", None, None)

    shop.rows = [*spans_of(NOW - 2 * DAY, 2000), *spans_of(NOW - 3, 30, 10)]
    (burning,) = standings(shop.ledger.view(shop.session()), [found], NOW)

    assert (burning.budget.total, burning.burns["5m"], burning.last_event) == (40, pytest.approx(25), NOW - 3)
    shop.now = NOW + 10
    shop.count()
    (counted,) = standings(shop.ledger.view(shop.session()), [found], NOW + 1)
    assert counted.status == "burning"
    assert counted.budget.left == pytest.approx(1 - 10 / (2040 * 0.01))
    assert counted.is_partial


def test_a_range_holds_its_own_minutes_alone(world):
    """A range that begins or ends within hours counts what its minutes count, kept or not; before all it is nothing."""
    shop = world(SHOP)
    shop.rows = [row for ago in range(300, 1, -7) for row in spans_of(NOW - ago, 3, 1)]
    shop.count()
    shop.now = NOW + 17
    shop.rows += spans_of(NOW + 10, 5, 2)
    book = SimpleNamespace(found=lambda: {"shop": Found(SHOP, "kept", "", "1")})
    desk = SloDesk(book, shop.ledger, shop.store, lambda: 0)
    for first, last in ((-290, -20), (-240, -120), (-31, 17), (-50, -45), (-61, -59), (-900, -301), (-5, 5000)):
        found = desk.counted(shop.session(), "shop", NOW + first, NOW + last)
        assert (found.total, found.bad) == shop.seen(SHOP, NOW + first, NOW + last)
        assert (found.good is None) == (last in {-301, -59})


def test_series_and_rules_say_what_is_counted(world):
    """PromQL and rules see kept and new minutes alike; a rule fires when both of its windows burn too fast."""
    shop = world(SHOP, FAST, SITE)
    shop.rows = [row for back in range(1, 60) for row in spans_of(NOW - back, 4, 2, slow=1)]
    shop.count()
    shop.now = NOW + 3
    shop.rows += spans_of(NOW + 2, 10)
    session = shop.session()
    source = StoredSeries(session, objectives=ObjectiveSeries(lambda: shop.objectives, shop.ledger.view(session)))
    at = Steps((NOW + 3) * 60_000, 60_000, 1)

    def value(text):
        answer = range_query(source, text, at, Options()).value
        return dict(zip((row.get("slo", "") for row in answer.labels.rows()), answer.values[:, -1], strict=True))

    assert value("increase(slo_events_total[2h])")["shop"] == pytest.approx(364, rel=0.02)
    burn = value(
        "sum by (slo) (rate(slo_bad_events_total[1h])) / sum by (slo) (rate(slo_allowed_bad_events_total[1h]))"
    )
    assert burn["shop"] == pytest.approx(57 * 2 / (57 * 6 + 10) / 0.01, rel=0.02)
    assert burn["fast"] == pytest.approx(57 / (57 * 6 + 10) / 0.1, rel=0.02)
    assert burn["site"] == 0
    assert "slo_events_total" in source.label_values("__name__", [Selector((), 0, at.start_ms)])
    with pytest.raises(PromqlError, match="narrows what is counted from records"):
        value('slo_events_total{__filter__="status:error"}')

    rules = [rule for each in shop.objectives for rule in rules_of(each)]
    readings = RuleEvaluator(lambda _: source, look=None).evaluate(session, rules, Steps(at.start_ms, 0, 1))
    firing = {uid for uid, each in readings.items() if np.any(each.levels)}
    assert firing == {*(f"slo-shop-{name}" for name in ("fast", "quick", "slow", "lasting")), "slo-fast-lasting"}
    assert readings["slo-shop-fast"].levels.max() == int(Severity.CRITICAL.rank)


def test_few_bad_events_wake_nobody(world):
    """One bad event of two burns a budget fifty times too fast, and is no alert; nor is the objective burning.

    With enough bad ones it is, where there are as many events as it asks for; and so it is with its rules' own number.
    """
    shop = world(SHOP)
    shop.rows = [*spans_of(NOW - DAY, 5000), *spans_of(NOW - 2, 1, 1)]
    shop.count()
    session = shop.session()
    source = StoredSeries(session, objectives=ObjectiveSeries(lambda: shop.objectives, shop.ledger.view(session)))

    readings = RuleEvaluator(lambda _: source, look=None).evaluate(session, rules_of(SHOP), Steps(NOW * 60_000, 0, 1))

    assert readings["slo-shop-fast"].values[0, -1] == pytest.approx(50)
    assert not any(np.any(each.levels) for each in readings.values())

    def status(objective):
        view = shop.ledger.view(shop.session())
        return standings(view, [Found(objective, "kept", "", "1")], shop.now)[0].status

    assert status(SHOP) == "ok"
    shop.rows += spans_of(NOW - 3, 4, 4)
    assert status(SHOP) == "burning"
    assert status(replace(SHOP, min_events=10)) == "burning"
    assert status(replace(SHOP, min_events=20_000)) == "ok"

    session = shop.session()
    source = StoredSeries(session, objectives=ObjectiveSeries(lambda: shop.objectives, shop.ledger.view(session)))
    for least, fires in ((10, True), (11, False)):
        own = replace(rules_of(SHOP)[0], min_samples=least)
        readings = RuleEvaluator(lambda _: source, look=None).evaluate(session, [own], Steps((NOW + 1) * 60_000, 0, 1))
        assert bool(np.any(readings[own.uid].levels)) == fires


def test_large_parts_are_read_in_slices():
    """Of a part with many rows only the slices of a window are read."""
    day_ns = 24 * 3600 * 10**9
    part = SimpleNamespace(rows=10**6, min_time_ns=NOW * MINUTE_NS, max_time_ns=NOW * MINUTE_NS + day_ns - 1)

    assert list(_slices(part, NOW + 20, NOW + 40)) == [NOW // 15 + 1, NOW // 15 + 2]
    assert _slices(part, NOW, NOW + DAY) == [None]


def test_alerts_of_an_objective_are_about_its_bad_spans(open_tables):
    """Evidence of an alert looks at the spans that its objective counts, and knows which of them are bad."""
    rule = rules_of(replace(SHOP, service="front"))[0]
    at_ns = NOW * MINUTE_NS
    alert = SimpleNamespace(labels=rule.labels, key=(("slo", "shop"),))
    session = open_tables(spans=spans_of(NOW - 1, 3, 2))

    subject = subject_of(session, rule, alert, Held(at_ns - MINUTE_NS, at_ns), 120 * 10**9)

    assert (subject.topic, subject.service, subject.filter) == ("errors", "front", "service:shop")
    assert subject.bad == "not (status != error)"
    either = rules_of(replace(SHOP, spans="service:shop OR service:front"))[0]
    wide = subject_of(session, either, alert, Held(at_ns - MINUTE_NS, at_ns), 120 * 10**9)
    assert subject.is_of_one_service
    assert not wide.is_of_one_service
    lasting = subject_of(session, rules_of(SHOP)[3], alert, Held(at_ns - MINUTE_NS, at_ns), 120 * 10**9)
    assert (lasting.window.end_ns - lasting.window.start_ns) // MINUTE_NS == 6 * HOUR  # its short window
    assert wide.of_operation("GET").filter == '(service:shop OR service:front) and name = "GET"'
    title = rules_of(replace(SHOP, name="{{Shop}}"))[0].title
    filling = Filling(labels={"slo": "shop"}, value=25.04)
    assert expand(title, filling) == "{{Shop}}: the error budget burns 25.0 times as fast as it may"
    assert rules_of(replace(SHOP, good='name != "{{x"'))[0].annotations == {}


def test_a_check_is_not_asked_while_the_server_stops():
    """Where health checks can't be asked any more that is an error: minutes without any status would be kept."""
    stop = Stop()
    stop.now()
    with pytest.raises(QueryTimeoutError, match="stopping"):
        Slos.minutes(SimpleNamespace(_stop=stop, _health=None), "site", 0, 5)
