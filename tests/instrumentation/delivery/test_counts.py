"""The counts as metrics, and in a forked child."""

from __future__ import annotations

import os

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from spanglass.delivery.count_metrics import observe

# Python 3.12 warns of what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def collect(reader):
    """Return all points as {name: {sorted attributes without the component and the server: value}}."""
    data = reader.get_metrics_data()
    plain = ("otel.component.", "server.")
    return {
        metric.name: {
            tuple(value for name, value in sorted(point.attributes.items()) if not name.startswith(plain)): point.value
            for point in metric.data.data_points
        }
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


@pytest.fixture
def reader():
    """Collect on demand."""
    return InMemoryMetricReader()


@pytest.fixture
def meter(reader):
    """Make a meter that the reader collects from."""
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider.get_meter("spanglass")
    provider.shutdown()


def test_counts_are_metrics_of_the_conventions(canned, new_delivery, reader, meter):
    """What was sent, refused and dropped by a full queue is in the metrics, with its cause; so is the queue."""
    delivery = new_delivery(canned.url, capacity=4)
    observe(meter, delivery.counts, delivery.exporters, {"traces": delivery.spans.queue})
    delivery.end_spans("a", "b", "c")
    assert delivery.flush()
    canned.status = 400
    canned.go.clear()
    delivery.end_spans("bad")
    assert not delivery.provider.force_flush(0)
    canned.wait_for(2)
    delivery.end_spans(*"defghi")

    seen = collect(reader)
    canned.go.set()
    assert delivery.flush()
    later = collect(reader)

    nothing = {(): 0}
    assert seen == {
        "otel.sdk.exporter.span.exported": {(): 3},
        "otel.sdk.exporter.metric_data_point.exported": nothing,
        "otel.sdk.exporter.log.exported": nothing,
        "otel.sdk.processor.span.processed": {(): 4, ("queue_full",): 2},
        "otel.sdk.processor.span.queue.size": {(): 4},
        "otel.sdk.processor.span.queue.capacity": {(): 4},
    }
    assert later["otel.sdk.exporter.span.exported"] == {(): 3, ("400",): 5}
    assert later["otel.sdk.processor.span.queue.size"] == {(): 0}


def test_the_component_and_the_server_are_named(canned, new_delivery, reader, meter):
    """Points of the exporter carry its type by transport, and the server's address and port."""
    delivery = new_delivery(canned.url)
    observe(meter, delivery.counts, delivery.exporters, {})
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    port = int(canned.url.rpartition(":")[2])
    assert [dict(metric.data.data_points[0].attributes) for metric in metrics] == [
        {
            "otel.component.type": f"otlp_http_{word}_exporter",
            "otel.component.name": f"otlp_http_{word}_exporter/0",
            "server.address": "127.0.0.1",
            "server.port": port,
        }
        for word in ("span", "metric", "log")
    ]


def test_the_spool_is_in_the_metrics(canned, new_delivery, reader, meter, tmp_path, eventually):
    """What was kept counts as exported only when it has arrived; the spool's own metrics say what is where."""
    canned.status = 503
    delivery = new_delivery(canned.url, spool_dir=tmp_path / "spool")
    observe(meter, delivery.counts, delivery.exporters, {})
    delivery.end_spans("a", "b")
    assert delivery.flush()
    kept = collect(reader)
    canned.status = 200
    assert eventually(lambda: delivery.traces.replayed == 2)
    replayed = collect(reader)

    rows = [
        (
            seen["otel.sdk.exporter.span.exported"][()],
            seen["spanglass.spool.records"][("traces", "kept")],
            seen["spanglass.spool.records"][("traces", "replayed")],
            seen["spanglass.spool.size"][()] > 0,
        )
        for seen in (kept, replayed)
    ]
    assert rows == [(0, 2, 0, True), (2, 2, 2, False)]


def test_stopped_metrics_give_nothing(canned, new_delivery, reader, meter):
    """After the function that observe gave was called there are no points any more."""
    delivery = new_delivery(canned.url)
    stop = observe(meter, delivery.counts, delivery.exporters, {})
    stop()
    assert collect(reader) == {}


def test_a_forked_child_counts_from_zero(canned, new_delivery):
    """What the parent has sent is not in the child's counts."""
    delivery = new_delivery(canned.url)
    delivery.end_spans("a")
    assert delivery.flush()
    child = os.fork()
    if child == 0:
        os._exit(delivery.traces.sent)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert delivery.traces.sent == 1
