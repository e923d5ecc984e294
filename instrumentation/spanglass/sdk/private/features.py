"""What depends on private names, and what is lost where a release of the SDK has renamed one.

A name that is gone costs the feature that needs it: one line in the log, a finding of doctor, and all else works.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_logger = logging.getLogger("spanglass")
_reported: set[str] = set()


class Feature(NamedTuple):
    """Something that private names make possible; ``names`` are ``module:path``, or ``sample:path`` for instances."""

    lost: str
    names: tuple[str, ...]


PROVIDERS = Feature(
    "configure() after shutdown() sets no new providers, and capture() in tests none of its own",
    (
        "opentelemetry.trace:_TRACER_PROVIDER",
        "opentelemetry.trace:_TRACER_PROVIDER_SET_ONCE",
        "opentelemetry.metrics._internal:_METER_PROVIDER",
        "opentelemetry.metrics._internal:_METER_PROVIDER_SET_ONCE",
        "opentelemetry.metrics._internal:_PROXY_METER_PROVIDER._real_meter_provider",
        "opentelemetry._logs._internal:_LOGGER_PROVIDER",
        "opentelemetry._logs._internal:_LOGGER_PROVIDER_SET_ONCE",
    ),
)
SILENCE = Feature(
    "signals that are switched off are still computed, and then dropped", ("meters:_disabled", "loggers:_disabled")
)
DECORATOR = Feature(
    "with traces switched off, start_as_current_span does not decorate async functions",
    ("opentelemetry.util._decorator:_agnosticcontextmanager",),
)
BY_NAME = Feature(
    "OTEL_*_EXPORTER (but otlp and none), OTEL_TRACES_SAMPLER and OTEL_PYTHON_ID_GENERATOR have no effect",
    (
        "opentelemetry.sdk._configuration:_import_exporters",
        "opentelemetry.sdk._configuration:_import_id_generator",
        "opentelemetry.sdk._configuration:_import_sampler",
    ),
)
REMOVAL = Feature(
    "after shutdown(), providers that the application has made keep what was added to them",
    (
        "meters:_measurement_consumer.remove_metric_reader",
        "tracers:_active_span_processor._span_processors",
        "tracers:_active_span_processor._lock",
        "loggers:_multi_log_record_processor._log_record_processors",
        "loggers:_multi_log_record_processor._lock",
    ),
)
BOUNDS = Feature(
    "the number of attribute sets of a metric has no bound",
    (
        "opentelemetry.sdk.metrics._internal._view_instrument_match:_hash_attributes",
        "opentelemetry.sdk.metrics._internal.metric_reader_storage:MetricReaderStorage",
        "meters:_measurement_consumer._reader_storages",
        "meters:_measurement_consumer._sdk_config",
        "reader:_instrument_class_temporality",
        "reader:_instrument_class_aggregation",
        "storage:_get_or_init_view_instrument_match",
        "match:_attributes_aggregation",
        "match:_view._attribute_keys",
    ),
)
DURATIONS = Feature(
    "histograms of durations in seconds have buckets for milliseconds, unless their instrumentation says others",
    (
        "opentelemetry.sdk.metrics.view:DefaultAggregation._create_aggregation",
        "histogram:_advisory.explicit_bucket_boundaries",
    ),
)
FORKS = Feature(
    "forked children send the parent's process id and continue its sums",
    (
        "tracers:_update_resource",
        "tracers:_handle_fork",
        "meters:_update_resource",
        "meters:_handle_fork",
        "loggers:_update_resource",
        "loggers:_handle_fork",
        "meters:_measurement_consumer._lock",
        "meters:_measurement_consumer._reader_storages",
        "meters:_meters",
        "meter:_instrument_registration_lock",
        "meter:_instrument_ids_lock",
        "reader:_export_lock",
    ),
)
GREEN = Feature(
    "where gevent or eventlet patch after the start, metrics may stop and the process may hang at its end",
    (
        "meters:_measurement_consumer._reader_storages",
        "reader:_collect",
        "reader:_shutdown_event",
        "reader:_daemon_thread",
        "reader:_ticker",
    ),
)
SLOW_QUERIES = Feature(
    "slow queries are not told of",
    ("opentelemetry.sdk.trace:SpanProcessor._on_ending", "span:_attributes._immutable"),
)
EVENTS = Feature("spans take longer to send, without the number of dropped events", ("span:_events", "span:_links"))
LIGHT_SPANS = Feature(
    "spans cost the application more time",
    (
        "tracer:_is_enabled",
        "tracer:_instrumentation_scope",
        "tracer:_span_limits",
        "tracer:_tracer_metrics",
        "span:_name",
        "span:_context",
        "span:_kind",
        "span:_instrumentation_info",
        "span:_instrumentation_scope",
        "span:_parent",
        "span:_start_time",
        "span:_end_time",
        "span:_resource",
        "span:_status",
        "span:_sampler",
        "span:_trace_config",
        "span:_record_exception",
        "span:_set_status_on_exception",
        "span:_span_processor",
        "span:_limits",
        "span:_lock",
        "span:_record_end_metrics",
        "span:_attributes._dict",
        "span:_attributes._lock",
        "span:_attributes._immutable",
        "span:_attributes._set_items",
        "span:_events",
        "span:_links",
        "span:_new_events",
        "span:_new_links",
        "span:_add_event",
        "span:_add_link",
        "opentelemetry.sdk.trace:SpanProcessor._on_ending",
        "opentelemetry.sdk.trace:time_ns",
    ),
)
LIGHT_METRICS = Feature(
    "measuring calls of databases costs the application more time",
    (
        "histogram:_measurement_consumer",
        "histogram:_is_enabled",
        "meters:_measurement_consumer._reader_storages",
        "meters:_measurement_consumer._sdk_config",
        "storage:_get_or_init_view_instrument_match",
        "match:_view._attribute_keys",
        "match:_attributes_aggregation",
        "match:_aggregation._attributes",
    ),
)
LOG_EXCEPTIONS = Feature(
    "exceptions of log records are told without local variables",
    ("opentelemetry.sdk._logs._internal:_exceptions._get_exception_attributes",),
)
LOG_ENCODER = Feature(
    "log records with values of unusual types may not be sent",
    ("opentelemetry.exporter.otlp.proto.common._log_encoder:encode_logs",),
)
ENTRY_POINTS = Feature("the start takes longer", ("opentelemetry.util._importlib_metadata:entry_points",))
SUPPRESSION = Feature(
    "health checks and some measurements may show in traces as calls of the application",
    ("opentelemetry.context:_SUPPRESS_INSTRUMENTATION_KEY",),
)
TEST_CLOCK = Feature(
    "capture(clock=...) in tests gives some times of the real clock",
    (
        "opentelemetry.sdk.trace:time_ns",
        "opentelemetry.sdk._logs._internal:time_ns",
        "opentelemetry._logs._internal:time_ns",
    ),
)
TEST_KIT = Feature(
    "capture() and --spanglass in tests see only part of the telemetry",
    (
        "tracers:_active_span_processor",
        "tracers:_tracers",
        "tracers:_tracers_lock",
        "loggers:_multi_log_record_processor",
        "loggers:_active_loggers",
        "loggers:_active_loggers_lock",
        "logger:_multi_log_record_processor",
        "reader:_set_collect_callback",
        "meters:_measurement_consumer._reader_storages",
        "meters:_measurement_consumer._sdk_config",
    ),
)

FEATURES = (PROVIDERS, SILENCE, DECORATOR, BY_NAME, REMOVAL, BOUNDS, DURATIONS, FORKS, GREEN, SLOW_QUERIES,
            LIGHT_SPANS, LIGHT_METRICS, EVENTS, LOG_EXCEPTIONS, LOG_ENCODER, ENTRY_POINTS, SUPPRESSION,
            TEST_CLOCK, TEST_KIT)  # fmt: skip


@contextmanager
def optional(feature: Feature) -> Iterator[None]:
    """Do something that needs the feature's names; where one is gone the block ends, and that is logged once."""
    try:
        yield
    except (AttributeError, ImportError, KeyError, TypeError) as error:
        lose(feature, error)


def lose(feature: Feature, error: Exception) -> None:
    """Log, once, that the installed SDK lacks what the feature needs."""
    if feature.lost not in _reported:
        _reported.add(feature.lost)
        reason = str(error).partition(" (")[0]  # without the module's path
        _logger.warning("opentelemetry-sdk %s lacks what Spanglass needs, %s: %s", _sdk(), reason, feature.lost)


def missing() -> list[tuple[str, Feature]]:
    """Return the names that this SDK lacks, each with its feature. Makes providers to look at: it is for doctor."""
    made = _samples()
    return [(name, feature) for feature in FEATURES for name in feature.names if not is_there(name, made)]


def is_there(name: str, samples: dict[str, Any]) -> bool:
    """Whether the SDK has one of a feature's names; samples by what stands before the colon."""
    owner, path = name.split(":")
    try:
        attrgetter(path)(samples[owner] if owner in samples else import_module(owner))
    except (AttributeError, ImportError):
        return False
    return True


def _samples() -> dict[str, Any]:
    """Make one of each kind of object whose attributes are looked at, as far as this SDK lets itself be asked."""
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415 - for doctor alone
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    reader = PeriodicExportingMetricReader(ConsoleMetricExporter(), float("inf"))  # it starts no thread
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    meter, span = meters.get_meter(__name__), tracers.get_tracer(__name__).start_span("sample")
    counter = meter.create_counter("sample")
    counter.add(1)
    span.end()
    storage = match = None
    with optional(BOUNDS):
        storage = meters._measurement_consumer._reader_storages[reader]  # noqa: SLF001
        (match,) = storage._instrument_view_instrument_matches[counter]  # type: ignore[index] # noqa: SLF001
    return {"reader": reader, "tracers": tracers, "loggers": loggers, "meters": meters, "meter": meter, "span": span,
            "tracer": tracers.get_tracer(__name__),
            "logger": loggers.get_logger(__name__), "storage": storage, "match": match,
            "histogram": meter.create_histogram("sample.duration", "s")}  # fmt: skip


def _sdk() -> str:
    try:
        return version("opentelemetry-sdk")
    except ImportError:  # packed into one file, without metadata
        return ""
