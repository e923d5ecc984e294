"""Pinned traces in a real store: their spans and log records outlive retention, and go when they are unpinned."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from nodes import NOW_NS, Clock, Node, spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanglass_server.api.saved.pins import pin_routes
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.one_trace.view import show_trace
from spanglass_server.saved.model import SavedError, UnknownPinError
from spanglass_server.saved.pinning import pin_of
from spanglass_server.settings.table import Retention
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

DAY_NS = 86_400 * 10**9
MIB = 1 << 20


def trace_id(name):
    """Return the id of the trace that a span of this name is in."""
    return name.encode().rjust(16, b"0")


def logs(*names):
    """A request with a log record of the trace of each name, and one of none."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for name in names:
        scope.log_records.add(trace_id=trace_id(name), event_name=name, time_unix_nano=NOW_NS)
    scope.log_records.add(event_name="of no trace", time_unix_nano=NOW_NS)
    return request.SerializeToString()


class Shelf:
    """A node that keeps everything for a day, housekeeping only when it is told."""

    def __init__(self, data_dir, **retention):
        ages = {"traces_ns": DAY_NS, "logs_ns": DAY_NS} | retention
        quiet = {"compact_interval_ns": 10**18}
        self.clock = Clock()
        self.node = Node(data_dir, self.clock, quiet, {}, retention=Retention(**ages))

    def store(self, *bodies, signal=Signal.SPANS):
        """Store requests, each a segment of its own."""
        for body in bodies:
            self.node.submit(body, signal=signal)
            self.node.real._generations.seal()
            self.node.until(lambda: not self.node.states())

    def pin(self, name, max_bytes=MIB):
        """Pin a trace."""
        pin = self.node.real.engine.run_here(lambda session: pin_of(session, trace_id(name), "why", "Ada", NOW_NS))
        self.node.real.saved.pins.pin(pin, max_bytes)
        return pin

    def put(self, name):
        """Pin a trace as the API does."""
        (route,) = (route for route in pin_routes(self.node.real.saved.pins, MIB) if route.method == "PUT")
        params = {"trace_id": trace_id(name), "body": {}, "now_ns": NOW_NS}
        return self.node.real.engine.run_here(lambda session: route.query(session, params))

    def retain(self, days):
        """Look so many days later."""
        self.node.real.store.retain(NOW_NS + days * DAY_NS + 1)

    def trace(self, name):
        """Return the names of a trace's spans as its page shows them; None without any."""
        try:
            found = self.node.real.engine.run_here(lambda session: show_trace(session, trace_id(name), NOW_NS))
        except BadQuestionError:
            return None
        return [span["name"] for span in found["spans"]]

    def events(self):
        """Return the names of all log records."""

        def ask(session):
            source = session.relation(Signal.LOGS, ALL_TIME, ["event_name"])
            return [row["event_name"] for row in session.rows(f"SELECT event_name FROM {source} ORDER BY 1")]  # noqa: S608

        return self.node.real.engine.run_here(ask)


@pytest.fixture
def shelf(tmp_path):
    """Open a shelf with two segments of spans and one of log records."""
    made = Shelf(tmp_path / "data")
    made.store(spans("a", "b", "c"), spans("c", "d"))
    made.store(logs("a", "c"), signal=Signal.LOGS)
    yield made
    made.node.real.close()


def test_a_pinned_trace_outlives_retention_and_goes_when_unpinned(shelf, tmp_path):
    """Its spans out of all segments and its log records stay, over compaction and a restart, until it is unpinned."""
    pin = shelf.pin("c")
    assert (pin.name, pin.spans, pin.errors, pin.start_ns) == ("c", 1, 0, NOW_NS)
    for days in (1, 2):
        shelf.retain(days)
        assert (shelf.node.names(), shelf.events()) == (["c", "c"], ["c"])
    shelf.node.real.store.compact()
    shelf.retain(3)
    shelf.node.real.close()

    again = Shelf(tmp_path / "data")
    try:
        again.retain(30)
        assert (again.node.names(), again.events(), again.trace("c"), again.trace("a")) == (
            ["c", "c"],
            ["c"],
            ["c"],
            None,
        )
        before = again.node.real.store.contents.snapshot.version
        again.retain(31)
        assert again.node.real.store.contents.snapshot.version == before  # what holds nothing else is left as it is
        again.node.real.saved.pins.unpin(trace_id("c"))
        again.retain(31)
        assert (again.node.names(), again.events()) == ([], [])
    finally:
        shelf.node = again.node


@pytest.mark.parametrize("removal", [1, 2, 3])
def test_a_trace_pinned_while_others_are_deleted_is_kept(shelf, monkeypatch, removal):
    """An acknowledged pin keeps all its rows, whichever segment was looked through or deleted just before it came."""
    shelf.pin("c")
    rescue, looked = shelf.node.real.store._rescue, []
    rows_of = rescue.rows_of

    def look(segment):
        looked.append(segment)
        found = rows_of(segment)
        if len(looked) == removal:
            assert shelf.put("d" if removal > 1 else "a")["trace_id"]
        return found

    monkeypatch.setattr(rescue, "rows_of", look)
    shelf.retain(1)

    expected = (["c", "c", "d"], ["c"]) if removal > 1 else (["a", "c", "c"], ["a", "c"])
    assert (shelf.node.names(), shelf.events()) == expected


def test_nothing_is_pinned_between_the_last_look_and_the_deletion(shelf, monkeypatch):
    """While a deletion is committed a pin waits; it is then told that the trace is gone, and none is kept."""
    store, pins, free = shelf.node.real.store, shelf.node.real.saved.pins, []
    commit = store.catalog.commit

    def committing(change):
        if change.remove:
            asking = threading.Thread(target=lambda: free.append(pins._adding.acquire(blocking=False)))
            asking.start()
            asking.join()
        commit(change)

    monkeypatch.setattr(store.catalog, "commit", committing)
    shelf.retain(1)

    assert free
    assert not any(free)
    with pytest.raises(BadQuestionError):
        shelf.put("a")
    assert pins.ids() == frozenset()


def test_pinning_twice_at_once_is_one_pin(shelf):
    """The later of two requests that both find no pin changes the note, also where no further pin has room."""
    first = shelf.pin("a")
    shelf.node.real.saved.pins.pin(replace(first, note="later"), first.bytes)
    assert shelf.node.real.saved.pins.one(trace_id("a")).note == "later"


def test_bytes_of_pinned_traces_do_not_push_others_out(tmp_path):
    """Past the bytes of all segments the oldest rows go that are not pinned, no more of them than needed."""
    probe = Shelf(tmp_path / "probe", traces_ns=0)
    probe.store(spans("a", "b"), spans("c"), spans("d"))
    sizes = [segment.bytes for segment in probe.node.real.store.contents.snapshot.segments[Signal.SPANS]]
    probe.node.real.close()

    shelf = Shelf(tmp_path / "data", traces_ns=0, max_bytes=sizes[2] + sizes[1] // 2)
    shelf.store(spans("a", "b"), spans("c"), spans("d"))
    shelf.pin("a")
    shelf.retain(0)
    left = shelf.node.names()
    shelf.node.real.close()

    assert left == ["a", "d"]


def test_pins_are_bounded_by_bytes(shelf):
    """A trace for which there is no room is refused; one that is not pinned can't be unpinned."""
    first = shelf.pin("a")
    with pytest.raises(SavedError, match="bytes") as refused:
        shelf.pin("b", max_bytes=first.bytes)
    assert "retention.max_pinned_bytes" in refused.value.hint
    with pytest.raises(UnknownPinError):
        shelf.node.real.saved.pins.unpin(trace_id("b"))
    assert shelf.node.real.saved.pins.ids() == {trace_id("a")}


def test_what_comes_after_pinning_is_kept_within_bounds(tmp_path):
    """Rows of a pinned trace that come later are kept too, but not past twice the bytes: then they age as others do."""
    shelf = Shelf(tmp_path / "data", max_pinned_bytes=1 << 20)
    shelf.store(spans("a", "b"))
    size = shelf.pin("a").bytes
    shelf.store(spans("a"), spans("a"))
    shelf.node.real.store._rescue._max_bytes = size * 4
    shelf.retain(1)
    left = shelf.node.names()
    shelf.node.real.close()

    assert 1 <= len(left) < 3
