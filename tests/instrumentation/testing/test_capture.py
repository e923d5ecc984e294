"""``capture`` with and without providers, and what it leaves behind."""

import logging
import threading

import loguru
import pytest
import structlog
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk.trace import SpanProcessor

from spanglass.sdk.published import current
from spanglass.start import setup
from spanglass.testing import FakeClock, SequentialIds, capture
from spanglass.testing.clock import START_NS


def test_a_block_records_all_three_signals_where_nothing_is_configured():
    """Spans, log records and metrics of a block are there as plain dictionaries, with ids and times of the test."""
    with capture(clock=FakeClock()) as telemetry:
        counter = metrics.get_meter("shop").create_counter("orders", unit="{order}")
        with trace.get_tracer("shop").start_as_current_span("pay", kind=trace.SpanKind.SERVER) as span:
            span.set_attribute("amount", 3)
            counter.add(2, {"currency": "EUR"})
            _logs.get_logger("shop").emit(
                body="paid", severity_number=_logs.SeverityNumber.INFO, severity_text="INFO", timestamp=7
            )
    assert telemetry.spans == [
        {
            "name": "pay",
            "kind": "server",
            "trace_id": f"{1:032x}",
            "span_id": f"{1:016x}",
            "parent_id": None,
            "start_ns": START_NS,
            "duration_ns": 2_000_000,  # the log record's observed time was read between start and end
            "status": "unset",
            "status_message": None,
            "attributes": {"amount": 3},
            "events": [],
            "links": [],
            "scope": "shop",
        }
    ]
    assert telemetry.logs == [
        {
            "body": "paid",
            "severity": 9,
            "severity_text": "INFO",
            "event_name": None,
            "attributes": {},
            "timestamp_ns": 7,
            "trace_id": f"{1:032x}",
            "span_id": f"{1:016x}",
            "scope": "shop",
        }
    ]
    assert telemetry.metrics == [
        {
            "name": "orders",
            "kind": "sum",
            "unit": "{order}",
            "attributes": {"currency": "EUR"},
            "value": 2,
            "count": None,
            "scope": "shop",
        }
    ]


def test_nothing_is_left_of_a_block_where_nothing_is_configured():
    """After a block no provider is set, and a tracer that was used in it records nothing."""
    tracer = trace.get_tracer("shop")
    with capture(), tracer.start_as_current_span("inside") as inside:
        pass
    with tracer.start_as_current_span("outside") as outside:
        pass
    assert (current(), inside.get_span_context().is_valid, outside.is_recording()) == ([None] * 3, True, False)


def test_a_second_block_starts_anew():
    """Each block has its own spans, ids from 1, and sums from zero, with the same tracer and counter."""
    seen = []
    for _ in range(2):
        with capture() as telemetry:
            with trace.get_tracer("shop").start_as_current_span("pay"):
                metrics.get_meter("shop").create_counter("paid").add(1)
            seen.append([(span["name"], int(span["trace_id"], 16)) for span in telemetry.spans])
            seen.append([(point["name"], point["value"]) for point in telemetry.find_metrics("paid")])
    assert seen == [[("pay", 1)], [("paid", 1)]] * 2


def test_a_tracer_of_a_block_sends_to_what_is_configured_later():
    """A tracer that met the kit's providers first follows ``configure``."""
    tracer = trace.get_tracer("shop")
    with capture(), tracer.start_as_current_span("inside"):
        pass
    setup.configure(endpoint="http://127.0.0.1:9", instrument=False, runtime_metrics=False, flush_timeout="10ms")
    try:
        with tracer.start_as_current_span("later") as span:
            assert span.is_recording()
    finally:
        setup.shutdown()


def test_configure_in_a_block_is_in_force_after_it():
    """An application that configures itself during a test is captured until the block ends, and then sends."""
    try:
        with capture() as telemetry:
            setup.configure(
                endpoint="http://127.0.0.1:9", instrument=False, runtime_metrics=False, flush_timeout="10ms"
            )
            with trace.get_tracer("shop").start_as_current_span("inside"):
                pass
        assert telemetry.tree() == "inside"
        assert current() == list(setup.running().providers)
    finally:
        setup.shutdown()


class _Adds(SpanProcessor):
    """Adds an attribute when a span begins."""

    def on_start(self, span, parent_context=None):  # noqa: ARG002 - the SDK's interface
        span.set_attribute("tenant.id", "t1")


class _Counts(SpanProcessor):
    """Stands for an exporting processor: counts what reaches it."""

    ended = 0

    def on_end(self, span):  # noqa: ARG002 - the SDK's interface
        self.ended += 1


def test_what_is_configured_sends_nothing_of_a_block_and_everything_after_it(configured):
    """During a block exporting processors see nothing, those that add attributes still do; then all is as before."""
    sender = _Counts()
    configured.providers.tracer.add_span_processor(_Adds())
    configured.providers.tracer.add_span_processor(sender)
    before = trace.get_tracer("before")
    with capture() as telemetry:
        for tracer in (before, trace.get_tracer("new")):
            with tracer.start_as_current_span("inside"):
                pass
    ended_inside = sender.ended
    for name in ("before", "new"):
        with trace.get_tracer(name).start_as_current_span("after"):
            pass
    assert [(span["scope"], span["attributes"]) for span in telemetry.spans] == [
        ("before", {"tenant.id": "t1"}),
        ("new", {"tenant.id": "t1"}),
    ]
    assert (ended_inside, sender.ended) == (0, 2)


def test_measurements_of_a_block_reach_no_other_reader(configured):
    """What is measured in a block is in none of the configured readers, before and after it they see everything."""
    counter = metrics.get_meter("shop").create_counter("orders")
    (storage,) = configured.providers.meter._measurement_consumer._reader_storages.values()
    counter.add(1)
    with capture() as telemetry:
        counter.add(10)
    counter.add(100)
    assert [point["value"] for point in telemetry.find_metrics("orders")] == [10]
    collected = storage.collect().resource_metrics[0].scope_metrics
    own = [m for scope in collected for m in scope.metrics if m.name == "orders"]
    assert [point.value for metric in own for point in metric.data.data_points] == [101]


def test_a_reader_that_collects_during_a_block_gets_its_own(configured):
    """A periodic export in the middle of a block sends what was measured before it, and does not fail."""
    (reader,) = configured.providers.meter._measurement_consumer._reader_storages
    counter = metrics.get_meter("shop").create_counter("orders")
    counter.add(1)
    with capture():
        counter.add(10)
        collected = configured.providers.meter._measurement_consumer.collect(reader)
    own = [m for scope in collected.resource_metrics[0].scope_metrics for m in scope.metrics if m.name == "orders"]
    assert [point.value for metric in own for point in metric.data.data_points] == [1]


@pytest.mark.usefixtures("configured")
def test_a_block_in_a_block_records_for_both():
    """The inner block has its part, the outer one everything; ids go on counting."""
    counter = metrics.get_meter("shop").create_counter("orders")
    tracer = trace.get_tracer("shop")
    with capture() as outer, tracer.start_as_current_span("first"):
        counter.add(1)
        with capture() as inner, tracer.start_as_current_span("second"):
            counter.add(2)
    assert (outer.tree(), inner.tree()) == ("first\n└─ second", "second")
    assert [each.find_metrics("orders")[0]["value"] for each in (outer, inner)] == [3, 2]


@pytest.mark.usefixtures("configured")
def test_a_block_begins_new_traces():
    """The span around a block is no parent of what is captured, and is the current one again afterwards."""
    tracer = trace.get_tracer("shop")
    with tracer.start_as_current_span("around") as around:
        with capture() as telemetry, tracer.start_as_current_span("inside"):
            pass
        assert trace.get_current_span() is around
    assert telemetry.spans[0]["parent_id"] is None


def test_other_threads_are_captured():
    """A block belongs to the process: what a server's thread does is recorded too."""

    def work():
        with trace.get_tracer("shop").start_as_current_span("elsewhere"):
            pass

    with capture() as telemetry:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert telemetry.tree() == "elsewhere"


@pytest.mark.parametrize("way", ["capture alone", "after configure()"])
def test_each_log_record_is_captured_once(request, way):
    """Records of stdlib logging, loguru and structlog, with their exceptions, whether or not something sends logs."""
    if way == "after configure()":
        request.getfixturevalue("configured")
    handler = loguru.logger.add(lambda _: None)  # another test may have left none
    request.addfinalizer(lambda: loguru.logger.remove(handler))
    with capture() as outer, capture() as telemetry:
        logging.getLogger("shop").error("order %s failed", 7, exc_info=ValueError("no money"))
        loguru.logger.error("from loguru")
        structlog.get_logger("shop").error("from structlog")
    logging.getLogger("shop").error("after")

    first, *others = telemetry.logs
    assert outer.logs == telemetry.logs
    assert (first["scope"], first["body"], first["severity"]) == ("shop", "order 7 failed", 17)
    assert (first["attributes"]["exception.type"], first["attributes"]["exception.message"]) == (
        "ValueError",
        "no money",
    )
    assert first["attributes"]["exception.stacktrace"].endswith("ValueError: no money\n")
    assert [record["body"] for record in others] == ["from loguru", "from structlog"]


def test_given_ids_are_used():
    """``ids`` chooses the generator of trace and span ids."""
    with capture(ids=SequentialIds(first=0x10)) as telemetry, trace.get_tracer("shop").start_as_current_span("pay"):
        pass
    assert telemetry.spans[0]["span_id"] == f"{0x10:016x}"


def test_the_clock_moves_when_told():
    """A fake clock gives its start, then a step more at each reading, and what ``advance`` adds."""
    clock = FakeClock(start_ns=0, step_ns=1)
    readings = [clock(), clock()]
    clock.advance(ms=2)
    assert [*readings, clock()] == [0, 1, 2_000_002]


def test_a_foreign_implementation_is_refused(monkeypatch):
    """Providers that are not the SDK's can't be turned, and the error says which one is set."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", trace.NoOpTracerProvider())
    with (
        pytest.raises(RuntimeError, match=r"the TracerProvider that is set is a opentelemetry\.trace\.NoOp"),
        capture(),
    ):
        pass
    monkeypatch.undo()
    with capture() as telemetry, trace.get_tracer("shop").start_as_current_span("works"):
        pass
    assert telemetry.tree() == "works"
