"""What is looked at in the background: each minute once, when it is over; what was found and said stays."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from trace_patterns import MS, Trace, n_plus_one

from spanglass_server.findings import agenda, looker
from spanglass_server.findings.agenda import MINUTE_NS, MOST_SPANS, Due, list_minutes
from spanglass_server.findings.announcing import Announcer
from spanglass_server.findings.desk import FindingDesk, Wanted
from spanglass_server.findings.detecting import stretch
from spanglass_server.findings.latecomers import EVERY_NS, Latecomers
from spanglass_server.findings.looker import Looker
from spanglass_server.findings.model import Dismissal, Kind, Place, Sighting, State
from spanglass_server.findings.store import store
from spanglass_server.findings.store.store import FILE_NAME, FindingStore
from spanglass_server.findings.words import WORDS
from spanglass_server.pace import REST_PAST, Pace
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.settings import load
from spanglass_server.signals import Signal
from spanglass_server.store.minute_counts import MinuteCounts
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import Part, Window

MINUTE = 28_333_334  # since 1970


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = MINUTE * MINUTE_NS

    def __call__(self) -> int:
        """The time."""
        return self.now_ns


class World:
    """A server's storage, and what looks at it."""

    def __init__(self, directory) -> None:
        self.clock = Clock()
        settings = load(overrides={"data.dir": str(directory), "storage.min_free_disk_bytes": "0"})
        self.node = StorageNode(settings, Telemetry(), self.clock)
        self.folder = directory
        self.asked = 0
        self.elapsed_s = self.spent_s = 0.0
        self.pace = Pace(lambda: self.elapsed_s, lambda: self.spent_s)
        self.open()

    def open(self) -> None:
        """Open the store of findings, as a start does."""
        self.store = FindingStore(self.folder / FILE_NAME)
        self.desk = FindingDesk(self.store, self.clock)
        self.looker = Looker(self.store, self.ask, self.arrived_ns, self.clock, self.pace)

    def ask(self, query):
        """Run a query, and count it."""
        self.asked += 1
        self.spent_s += 0.5
        return self.node.engine.run_here(query, needs_newest=self.looker.needs_newest)

    def arrived_ns(self) -> int:
        """When the newest spans came."""
        return self.node.store.contents.snapshot.arrived[Signal.SPANS].time_ns

    def send(self, request: ExportTraceServiceRequest) -> None:
        """Take in spans, and make them visible."""
        asyncio.run(self.node.ingest.submit(Signal.SPANS, request.SerializeToString()))
        self.node.engine.run_here(lambda session: session.arrived(Signal.SPANS))

    def listed(self):
        """Findings that are open, and seen often enough."""
        return self.node.engine.run_here(lambda session: self.desk.listing(session, Wanted(), 10))["findings"]


@pytest.fixture
def world(tmp_path):
    """An empty server."""
    made = World(tmp_path)
    yield made
    made.store.close()
    made.node.close()


def traces(seed: int, count: int, minute: int, every_ms: int = 100) -> ExportTraceServiceRequest:
    """Traces with one pattern that begin in a minute."""
    chance = random.Random(seed)  # noqa: S311 - makes traces, not secrets
    request = ExportTraceServiceRequest()
    for number in range(count):
        trace = Trace(chance, seed * 1000 + number + 1)
        trace.service, trace.root["name"] = "shop", "GET /cart"
        trace.root["resource.service.name:str"] = "shop"
        n_plus_one(trace)
        shift_ns = minute * MINUTE_NS + number * every_ms * MS - trace.root["start_time_ns"]
        for row in trace.end():
            resource = request.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = row["resource.service.name:str"]
            start_ns = row["start_time_ns"] + shift_ns
            span = resource.scope_spans.add().spans.add(
                trace_id=row["trace_id"], span_id=row["span_id"], parent_span_id=row["parent_span_id"] or b"",
                name=row["name"], kind=row["kind"], start_time_unix_nano=start_ns,
                end_time_unix_nano=start_ns + row["duration_ns"],
            )  # fmt: skip
            for name, value in row.items():
                if name.startswith("span.") and name.endswith(":str"):
                    key = name.removeprefix("span.").removesuffix(":str")
                    span.attributes.add(key=key).value.string_value = value
    return request


def test_minutes_are_looked_at_once_when_they_are_over(world):
    """Not before the minute is over, once, after a restart too; without new spans nothing is asked at all."""
    world.send(traces(1, 4, MINUTE))
    world.looker.step()
    assert world.listed() == []
    assert world.looker.has_news()

    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 4
    assert {one.place.kind for one in world.desk.known()} == {Kind.N_PLUS_ONE}

    assert not world.looker.has_news()
    world.store.close()
    world.open()
    assert world.looker.has_news()  # it does not know yet
    world.looker.step()
    assert not world.looker.has_news()
    assert sum(one.hits for one in world.desk.known()) == 4


def test_a_new_server_looks_at_what_it_has(world):
    """Some seconds after its first spans, before any minute is over, once; the minute tells of the rest when it is."""
    world.clock.now_ns = MINUTE * MINUTE_NS + 9 * 10**9
    world.send(traces(1, 4, MINUTE))
    world.looker.step()
    assert {one.place.kind for one in world.desk.known()} == {Kind.N_PLUS_ONE}
    assert sum(one.hits for one in world.desk.known()) == 4
    assert world.looker.is_new
    world.send(traces(2, 3, MINUTE))
    world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 4

    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 7
    assert not world.looker.is_new
    for _ in range(2):
        world.clock.now_ns += EVERY_NS
        world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 7


def test_a_cold_start_is_no_finding(world):
    """What the early look takes for slow is told by its whole minute instead, after a restart too; figures are kept."""
    start_ns = MINUTE * MINUTE_NS
    for seconds, count, ms in ((1, 16, 400), (20, 180, 2)):  # the first statements of a service are slow
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "shop"
        spans = resource.scope_spans.add().spans
        for number in range(seconds * 1000, seconds * 1000 + count):
            at_ns = start_ns + seconds * 10**9 + number * MS
            for name, kind, own in (("GET /cart", 2, b"r"), *((f"step {each}", 1, b"%d" % each) for each in range(3))):
                spans.add(
                    trace_id=number.to_bytes(16, "big"), span_id=own * 8, name=name, kind=kind,
                    parent_span_id=b"" if kind == 2 else b"r" * 8,
                    start_time_unix_nano=at_ns, end_time_unix_nano=at_ns + ms * MS,
                )  # fmt: skip
            spans[-1].attributes.add(key="db.query.text").value.string_value = "SELECT a FROM b WHERE c = 1"
        world.send(request)
        world.clock.now_ns = start_ns + 15 * 10**9 if seconds == 1 else start_ns + 2 * MINUTE_NS
        for _ in range(2):  # a restart before the minute is over looks early again
            world.store.close()
            world.open()
            world.looker.step()
        if seconds == 1:
            (early,) = world.listed()
            assert (early["kind"], early["hits"]) == ("slow_query", 16)
            world.desk.change(early["id"], Dismissal(State.DISMISSED, "known", "mina"))
            world.desk.change(early["id"], Dismissal(State.OPEN, "", "mina"))

    assert world.desk.known() == []
    hours = world.store.hours_of([("shop", "GET /cart")], [MINUTE // 60])
    assert sum(sum(one.durations.buckets.values()) for each in hours.values() for one in each) == 196


def test_what_comes_after_the_early_look_waits_to_become_columns(world):
    """A first look has what is there made columns, the first minute's too; those between leave it to wait for more."""
    world.send(traces(3, 40, MINUTE))
    world.clock.now_ns += 15 * 10**9
    asyncio.run(world.node.ingest.submit(Signal.SPANS, traces(4, 5, MINUTE).SerializeToString()))
    before_ns = world.arrived_ns()
    world.looker.step()
    seen_ns = world.arrived_ns()
    assert seen_ns > before_ns
    assert world.listed()

    world.clock.now_ns += 10 * 10**9
    asyncio.run(world.node.ingest.submit(Signal.SPANS, traces(5, 5, MINUTE).SerializeToString()))
    world.looker.step()
    assert world.arrived_ns() == seen_ns


def test_whatever_spans_hold_is_looked_at(world):
    """Endless durations, numbers that are none, long names and half a statement cost nothing but their own minute."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    spans = resource.scope_spans.add().spans
    for number in range(1, 60):
        span = spans.add(
            trace_id=b"\x01" * 16, span_id=bytes([number]) * 8, name="x" * 9000, kind=2 if number == 1 else 3,
            parent_span_id=b"" if number == 1 else b"\x01" * 8, start_time_unix_nano=MINUTE * MINUTE_NS,
            end_time_unix_nano=7 * 10**18,
        )  # fmt: skip
        span.attributes.add(key="items.count").value.double_value = float("nan") if number % 2 else float("inf")
        span.attributes.add(key="db.statement").value.string_value = f"SELECT 'a -- /* \x00 {number}"
        span.attributes.add(key="url.full").value.string_value = "http://[::1"
    world.send(request)
    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    world.looker.step()

    assert {one.place.kind for one in world.desk.known()} == {Kind.SLOW_QUERY, Kind.N_PLUS_ONE}
    assert not world.looker.has_news()


def test_the_past_is_looked_at_within_a_share_of_a_core(world):
    """What lies hours back waits while the thread rests, a hundred times what its looks took; what is new does not."""
    for minute in range(10):  # no longer a young server
        world.send(traces(1 + minute, 1, MINUTE - 30 + minute))
    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    world.looker.step()
    assert len(world.store.looked_at(0)) == 10

    for hours in (1, 2, 3):
        world.send(traces(20 + hours, 1, MINUTE - 60 * hours))
    world.send(traces(30, 1, MINUTE - 6))
    world.looker.step()
    assert MINUTE - 6 in world.store.looked_at(0)
    assert world.looker.is_past_due()
    world.looker.step()
    world.looker.step()
    assert len(world.store.looked_at(0)) == 12
    assert not world.looker.is_past_due()

    world.send(traces(31, 1, MINUTE - 5))
    world.looker.step()
    assert len(world.store.looked_at(0)) == 13
    for looks in (14, 15):
        world.elapsed_s += REST_PAST * 0.5 - 1
        assert not world.looker.is_past_due()
        world.elapsed_s += 2
        assert world.looker.is_past_due()
        world.looker.step()
        assert len(world.store.looked_at(0)) == looks
    world.elapsed_s += REST_PAST
    world.looker.step()
    assert not world.looker.is_past_due()


def test_late_minutes_and_dismissals(world):
    """A minute that holds spans only later is looked at then; what was dismissed stays so, with what is seen later."""
    world.clock.now_ns = (MINUTE + 5) * MINUTE_NS
    world.send(traces(2, 9, MINUTE + 3))
    world.looker.step()
    first = world.desk.known()[0]
    world.desk.change(first.id, Dismissal(State.DISMISSED, "known", "mina"))

    world.clock.now_ns += 10**9
    world.send(traces(3, 9, MINUTE - 30))
    assert world.looker.has_news()
    world.looker.step()

    kept = world.desk.known()
    assert sum(one.hits for one in kept) == 18
    assert [(one.id, one.reason) for one in kept if one.state is State.DISMISSED] == [(first.id, "known")]
    (dismissed,) = (one for one in kept if one.id == first.id)
    assert dismissed.hits > first.hits


def test_spans_that_come_after_their_minute(world):
    """They are looked at later, with what they belong to; what was told of is not told of again, sent twice or not."""
    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    early = traces(5, 9, MINUTE)
    world.send(early)
    world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 9

    world.clock.now_ns += MINUTE_NS
    world.send(traces(6, 4, MINUTE))
    world.looker.step()
    assert sum(one.hits for one in world.desk.known()) == 9  # it is looked now and then
    assert not world.looker.has_news()
    for spans in (0, 40, 80):  # the first time nothing comes behind what is late; then some are sent again
        world.clock.now_ns += EVERY_NS
        if spans:
            assert not world.looker.has_news()
            world.send(ExportTraceServiceRequest(resource_spans=early.resource_spans[:spans]))
        assert world.looker.has_news()
        world.looker.step()
        known = world.desk.known()
        assert (sum(one.hits for one in known), {one.requests for one in known}) == (13, {13})
    world.clock.now_ns += 30 * MINUTE_NS
    assert not world.looker.has_news()


def test_many_spans_that_come_late_are_looked_at_in_part(world, monkeypatch):
    """A part that is no larger than of any minute is read, once; the rest of what is late waits for the next step."""
    for place in (agenda, looker):
        monkeypatch.setattr(place, "MOST_SPANS", 200)
    world.clock.now_ns = (MINUTE + 4) * MINUTE_NS
    for minute in (0, 2):
        world.send(traces(5 + minute, 3, MINUTE + minute))
    world.looker.step()
    before = sum(one.hits for one in world.desk.known())

    for minute in (0, 2):
        late = traces(8 + minute, 60, MINUTE + minute, 1000)
        assert len(late.resource_spans) > 5 * 200
        world.send(late)
    read, read_stretch = [], looker.read_stretch

    def reading(*asked):
        stretch = read_stretch(*asked)
        read.append(stretch.spans)
        return stretch

    monkeypatch.setattr(looker, "read_stretch", reading)
    world.looker.step()
    world.clock.now_ns += EVERY_NS
    for looks in (1, 2):
        assert world.looker.has_news()
        world.looker.step()
        assert len(read) == looks
    assert max(read) < 4 * 200
    assert sum(one.hits for one in world.desk.known()) - before == pytest.approx(120, rel=0.5)
    world.clock.now_ns += EVERY_NS
    world.looker.step()
    assert len(read) == 2
    assert not world.looker.has_news()


def test_messages_that_were_sent_long_before_are_known(open_tables):
    """A consumer's sender may lie minutes before what is looked at, in a trace of its own; then it is looked up."""
    chance, rows = random.Random(8), []  # noqa: S311 - makes traces, not secrets
    for number in range(9):
        trace = Trace(chance, number + 1)
        sent = trace.span("send orders", 4, trace.root, 2)
        rows += trace.end()
        took = Trace(chance, number * 4 + 1200)  # twenty minutes later, each by 3 s more than the one before
        link = {"link_trace_id": [trace.id], "link_span_id": [sent["span_id"]]}
        took.root |= {"name": "process orders", "kind": 5, "resource.service.name:str": "mailer", **link}
        rows += took.end()
    window = Window(20 * MINUTE_NS, 21 * MINUTE_NS)

    found = stretch.read_stretch(open_tables(spans=rows), window, window)

    (wait,) = found.sightings
    assert (wait.place, wait.hits) == (Place(Kind.QUEUE_WAIT, "mailer", "process orders", "process orders"), 9)
    assert wait.doubtful == 0
    assert wait.waste_ns / wait.hits == pytest.approx(1212 * 10**9, rel=0.01)


@pytest.mark.parametrize(
    ("behind_ms", "growth", "below_server", "doubtful", "minutes"),
    [
        (5_000, 0, False, 9, 0),  # all wait as long: the clock of the sender may be 5 s behind
        (0, 0, False, None, None),
        (0, 600, False, 0, 1),  # those that are sent last wait longest
        (5_000, 600, False, 0, 1),
        (5_000, 600, True, None, None),
    ],
)
def test_clocks_that_differ_are_no_queue(open_tables, behind_ms, growth, below_server, doubtful, minutes):
    """Waits that are all about the same may be of clocks; what a plain server's span has below it was not sent."""
    chance, rows = random.Random(8), []  # noqa: S311 - makes traces, not secrets
    for number in range(1, 10):
        trace = Trace(chance, number)
        sent = trace.root if below_server else trace.span("send orders", 4, trace.root, 2)
        wait_ms = 1_000 * (growth > 0) + number * growth + trace.chance.uniform(20, 80)
        service = {"resource.service.name:str": "mailer"}
        trace.span("process orders", 5, sent, 40, trace.now + behind_ms + wait_ms, **service)
        rows += trace.end()
    window = Window(0, MINUTE_NS)

    found = stretch.read_stretch(open_tables(spans=rows), window, window)

    seen = [(one.doubtful, one.minutes) for one in found.sightings if one.place.kind is Kind.QUEUE_WAIT]
    assert seen == ([] if doubtful is None else [(doubtful, minutes)])


def test_counts_of_parts_are_taken_where_they_are(monkeypatch):
    """Rows that must be read are bounded, not those that parts have counts of or that lie in one minute."""
    counts = MinuteCounts.of(np.array([MINUTE, MINUTE, MINUTE + 1]), np.array([], np.int64))
    start_ns = MINUTE * MINUTE_NS
    known = Part(("a", 1), Signal.SPANS, 3, start_ns, start_ns + MINUTE_NS, frozenset(), counts)
    single = replace(known, key=("b", 1), rows=5, max_time_ns=start_ns + 9, minute_counts=None)
    unknown = replace(known, key=("c", 1), rows=7, minute_counts=None)
    monkeypatch.setattr(stretch, "_MOST_COUNTED", 6)
    monkeypatch.setattr(stretch, "count_minutes", lambda _, part: {MINUTE + 1: part.rows})
    window = Window(start_ns, start_ns + 2 * MINUTE_NS)

    def counted(*parts):
        session = type("Session", (), {"parts": lambda *_: parts})()
        return stretch.count_window(session, window)

    assert counted(known, single) == {MINUTE: 7, MINUTE + 1: 1}
    assert counted(known, single, unknown) == {}
    monkeypatch.setattr(stretch, "_MOST_COUNTED", 7)
    assert counted(known, single, unknown) == {MINUTE: 7, MINUTE + 1: 8}


def test_latecomers_are_looked_at_where_they_are_many():
    """From twenty on, and a fiftieth of what was there; most first, for half an hour; not where a part was read."""
    made = Latecomers()
    for minute, told, weight in ((0, 1_000, 1), (1, 100, 1), (2, 9_000, 1), (3, 9_000, 4)):
        start_ns = (MINUTE + minute) * MINUTE_NS
        own = Window(start_ns, start_ns + MINUTE_NS)
        made.made(Due([MINUTE + minute], own, own, weight), np.arange(told, dtype=np.uint64))
    now_ns = (MINUTE + 20) * MINUTE_NS
    assert made.window(now_ns - EVERY_NS) is None
    assert made.window(now_ns) == Window(MINUTE * MINUTE_NS, (MINUTE + 3) * MINUTE_NS)
    assert made.window(now_ns + EVERY_NS - 1) is None

    counts = {MINUTE: 1_025, MINUTE + 1: 118, MINUTE + 2: 9_181, MINUTE + 3: 99_000}
    late = made.late(counts, 1)
    assert [each.due.minutes for each in late] == [[MINUTE + 2], [MINUTE]]
    made.made_again(late[0], late[0].due, np.arange(9_000, 9_100, dtype=np.uint64), counts)
    assert [each.due.minutes for each in made.late(counts, 1)] == [[MINUTE]]
    assert made.window(now_ns + 11 * MINUTE_NS + 1) == Window((MINUTE + 1) * MINUTE_NS, (MINUTE + 3) * MINUTE_NS)
    assert made.window(now_ns + 99 * MINUTE_NS) is None


def test_findings_are_metrics(world):
    """Rules can ask for what is open, by kind and service; the series ends when nothing is open."""
    world.send(traces(4, 60, MINUTE))
    world.clock.now_ns = (MINUTE + 2) * MINUTE_NS
    world.looker.step()
    announcer = Announcer(world.desk, IngestSink(world.node.ingest), world.clock)

    def value(promql):
        def ask(session):
            source = StoredSeries(session, PartCache(0), max_samples=10_000)
            return range_query(source, promql, Steps(world.clock.now_ns // 10**6, 1, 1)).value.values.tolist()

        return world.node.engine.run_here(ask)

    assert announcer.announce() == ""
    assert value('sum(performance_findings{kind="n_plus_one", service_name="shop"})') == [[float(len(world.listed()))]]
    assert value("sum(performance_findings_cost_seconds_per_day)")[0][0] > 0
    for one in world.listed():
        world.desk.change(one["id"], Dismissal(State.DISMISSED, "known", "mina"))
    world.clock.now_ns += MINUTE_NS
    assert announcer.announce() == ""
    assert value("performance_findings") == []


def test_much_is_looked_at_in_part():
    """Of a minute with too many spans a part is read, and each request counts for others; never the open one."""
    now_ns = (MINUTE + 1) * MINUTE_NS + 30 * 10**9
    few = Part(("a", 1), Signal.SPANS, 100, (MINUTE - 2) * MINUTE_NS, (MINUTE - 2) * MINUTE_NS + 5, frozenset())
    many = Part(("b", 1), Signal.SPANS, 4 * MOST_SPANS, MINUTE * MINUTE_NS, MINUTE * MINUTE_NS + 5, frozenset())
    now = Part(("c", 1), Signal.SPANS, 9, now_ns - 5, now_ns, frozenset())
    wide = Part(("d", 1), Signal.SPANS, 3, (MINUTE - 9) * MINUTE_NS, now_ns, frozenset())

    agenda = list_minutes([few, many, now, wide], lambda _: {MINUTE - 9: 3}, {MINUTE - 5}, now_ns)

    assert [(due.minutes, due.weight) for due in agenda.due] == [
        ([MINUTE], 4.0),
        ([MINUTE - 2], 1.0),
        ([MINUTE - 9], 1.0),
    ]
    part = agenda.due[0].own
    assert part.end_ns - part.start_ns == 15 * 10**9
    assert MINUTE * MINUTE_NS <= part.start_ns < part.end_ns <= (MINUTE + 1) * MINUTE_NS
    assert agenda.goes_on
    assert list_minutes([few, many], dict, {MINUTE, MINUTE - 2}, now_ns).due == []


def test_little_is_looked_at_seldom():
    """Minutes with few spans wait for others and are looked at together, of one hour; a young server waits for none."""
    hour = MINUTE // 60 * 60
    counts = dict.fromkeys(range(hour - 2, hour + 20), 500)

    def due(now, counts, looked_at):
        part = Part(("a", 1), Signal.SPANS, 9, min(counts) * MINUTE_NS, max(counts) * MINUTE_NS, frozenset())
        now_ns = now * MINUTE_NS + 30 * 10**9
        agenda = list_minutes([part], lambda _: counts, looked_at, now_ns)
        assert all(each.own.end_ns - each.own.start_ns == len(each.minutes) * MINUTE_NS for each in agenda.due)
        assert all(each.own.start_ns == each.minutes[-1] * MINUTE_NS and each.weight == 1 for each in agenda.due)
        found = [*agenda.due, *agenda.past]
        return [(each.minutes[-1] - hour, each.minutes[0] - hour) for each in found], agenda.goes_on

    old = set(range(hour - 100, hour - 2))
    assert due(hour + 3, counts, old) == ([], True)
    assert due(hour + 4, counts, old) == ([(-2, -1)], True)
    assert due(hour + 3, counts, ()) == ([(0, 2), (-2, -1)], True)
    assert due(hour + 6, counts, old) == ([(0, 5), (-2, -1)], True)
    assert due(hour + 20, counts, old) == ([(10, 19), (0, 9), (-2, -1)], False)
    assert due(hour + 3, {**counts, hour + 2: 9_000}, old) == ([(0, 2)], True)
    assert due(hour + 3, {hour: 9_000, hour + 1: 9_000, hour + 2: 9_000}, old) == ([(1, 2)], True)


def test_findings_are_few_at_any_time(tmp_path, monkeypatch):
    """Of too many those go that were seen longest ago, at once; what somebody dismissed stays."""
    monkeypatch.setattr(store, "_MOST", 5)
    kept = FindingStore(tmp_path / FILE_NAME)
    for number in range(9):
        place = Place(Kind.GAP, "shop", f"GET /{number}", "x")
        kept.see([Sighting(place, 1, 1, 1, 10, MINUTE * MINUTE_NS + number, MINUTE * MINUTE_NS + number)])
        if number == 1:
            (first, *_) = kept.known(MINUTE * MINUTE_NS)
            kept.change(first.id, Dismissal(State.DISMISSED, "known", "mina"), MINUTE * MINUTE_NS)
    found = {one.place.operation for one in kept.known(MINUTE * MINUTE_NS)}
    kept.close()

    assert found == {first.place.operation, "GET /5", "GET /6", "GET /7", "GET /8"}


def test_kinds_are_described():
    """Each pattern has words."""
    assert set(WORDS) == set(Kind)
