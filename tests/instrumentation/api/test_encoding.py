"""Text that cannot be encoded: whatever the application names or says, the exporter loses no batch over it."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from spanglass.api import messages, metrics
from spanglass.api.decorator import trace
from spanglass.api.health.monitor import HealthMonitor
from spanglass.api.operations import PerformanceMonitor
from spanglass.api.spans import span

BAD = "\ud800"  # half of a surrogate pair, as json.loads and file names give them


def test_spans(sent):
    """Names, events, keys, values, descriptions and exceptions of spans, and operations."""

    @trace(BAD, capture_args=True, attributes={BAD: BAD})
    def call(text):
        return text

    call(BAD)
    with PerformanceMonitor().track_operation(BAD) as operation:
        operation.fail(BAD)
    with span(BAD, attributes={BAD: BAD}) as handle:
        handle.event(BAD, {BAD: [BAD]})
        handle.set(BAD, BAD)
        handle.set({"x": {BAD: BAD}})
        handle.fail(BAD)
        handle.rename(BAD)

    assert encode_spans(sent.spans).SerializeToString()
    assert [each.name for each in sent.spans] == [r"\ud800"] * 3


def test_log_records(sent):
    """Texts, templates, values, events, and changes of health checks."""
    messages.info(BAD)
    messages.info(BAD + "{x}", x=BAD)
    messages.info(BAD + "{y}", x=BAD)
    messages.event(BAD, user_id=BAD)
    monitor = HealthMonitor()
    monitor.register_check(BAD, lambda: ("unhealthy", BAD))
    monitor.check_health_now()

    assert encode_logs(sent._logs.get_finished_logs()).SerializeToString()
    assert len(sent.logs) == 5


def test_metrics(sent):
    """Descriptions and attributes, and those of operations and health checks."""
    metrics.counter("a", description=BAD).add(1, {BAD: BAD})
    PerformanceMonitor().track_operation(BAD).complete()
    monitor = HealthMonitor()
    monitor.register_check(BAD, lambda: True)
    monitor.check_health_now()

    assert encode_metrics(sent._metrics.get_metrics_data()).SerializeToString()
