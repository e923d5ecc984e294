"""The table of an application's settings: every name, type, default and help text, in the order of the documentation.

A setting is an option of ``spanglass.configure`` and an environment variable, ``SPANGLASS_`` and its name in capitals.
Where OpenTelemetry has a variable of its own for the same thing it is read too, after ours. Durations carry no unit in
their option's name: ``in_progress_after="2s"`` is ``settings.in_progress_after_ns``.
"""

# ruff: noqa: RUF009 - `_row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from spanglass_core.settings_types import (
    BOOL,
    BYTES,
    DURATION,
    HEADERS,
    LIST,
    PATH,
    RATIO,
    SECRET,
    STR,
    Secret,
    SettingType,
    choice,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

_MIB = 1024**2
_SECOND_NS = 10**9


def _row(default: T, kind: SettingType, help_text: str, *, otel: str = "") -> T:
    """One row of the table, as the default of a field; the annotation is T for the type checker."""
    # values of headers are often keys, so no representation shows them
    row: T = field(default=default, repr=kind is not HEADERS, metadata={"type": kind, "help": help_text, "otel": otel})
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """An application's settings, checked; see ``TABLE`` for what each one is."""

    enabled: bool = _row(
        default=True,
        kind=BOOL,
        help_text="False: nothing is set up, and every call is a no-op.",
        otel="OTEL_SDK_DISABLED",
    )

    # who sends
    service_name: str = _row(
        "",
        STR,
        "Name of the service. Default: the name of the script, package or web application.",
        otel="OTEL_SERVICE_NAME",
    )
    service_namespace: str = _row("", STR, "Namespace of the service, such as the name of the team or product.")
    release: str = _row(
        "", STR, "Version of the application. Default: the commit of the git repository it is started in."
    )
    environment: str = _row("", STR, "Where it is deployed, such as production or staging.")

    # where to
    endpoint: str = _row(
        "http://127.0.0.1:4318",
        STR,
        "Address of the server, without `/v1/traces`. With `protocol` grpc usually port 4317.",
        otel="OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    protocol: str = _row(
        "http/protobuf",
        choice("http/protobuf", "grpc"),
        "How to send; `grpc` needs the extra `spanglass[grpc]`.",
        otel="OTEL_EXPORTER_OTLP_PROTOCOL",
    )
    token: Secret = _row(Secret(""), SECRET, "The server's ingest token; sent as `Authorization: Bearer`.")
    headers: tuple[tuple[str, str], ...] = _row(
        (), HEADERS, "More headers of every request: `name=value,name=value`.", otel="OTEL_EXPORTER_OTLP_HEADERS"
    )
    compression: str = _row(
        "gzip",
        choice("gzip", "deflate", "none"),
        "How requests are compressed.",
        otel="OTEL_EXPORTER_OTLP_COMPRESSION",
    )
    send_timeout_ns: int = _row(
        10 * _SECOND_NS,
        DURATION,
        "How long one delivery may take, with its repetitions, before it is given up.",
        otel="OTEL_EXPORTER_OTLP_TIMEOUT",
    )
    spool_dir: Path | None = _row(
        None, PATH, "Directory that keeps what could not be sent, to send it later. Default: none, it is dropped."
    )
    spool_max_bytes: int = _row(64 * _MIB, BYTES, "Most bytes kept there by one process; the oldest go first.")
    console: str = _row(
        "auto",
        choice("auto", "on", "off"),
        "Print each finished trace as a tree: `auto` does if no server answers and stderr is a terminal.",
    )

    # what
    traces: bool = _row(default=True, kind=BOOL, help_text="Send spans.")
    metrics: bool = _row(default=True, kind=BOOL, help_text="Send metrics.")
    logs: bool = _row(default=True, kind=BOOL, help_text="Send log records.")
    instrument: bool = _row(
        default=True, kind=BOOL, help_text="Turn on the instrumentation of every library that is installed and has one."
    )
    disabled_instrumentations: tuple[str, ...] = _row(
        (), LIST, "Instrumentations to leave off, by name.", otel="OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
    )
    semconv: str = _row(
        "new",
        choice("new", "old", "dup"),
        "Names of attributes and metrics: the current conventions, those before 1.23, or both at once.",
    )
    framework_spans: bool = _row(
        default=False, kind=BOOL, help_text="Keep the ASGI spans `http send` and `http receive`; there are many."
    )
    logger_level: str = _row(
        "notset",
        choice("notset", "debug", "info", "warning", "error", "critical"),
        "Least level of a stdlib log record to send; the loggers' own levels come first.",
    )
    metric_interval_ns: int = _row(
        15 * _SECOND_NS, DURATION, "How often metrics are collected and sent.", otel="OTEL_METRIC_EXPORT_INTERVAL"
    )
    collection_intervals: tuple[str, ...] = _row(
        (),
        LIST,
        "Collectors that measure less often than `metric_interval`: `host=60s`, `process`, `interpreter`, `libraries`.",
    )
    runtime_metrics: bool = _row(
        default=True, kind=BOOL, help_text="Measure process, host, interpreter, event loops, pools, caches and queues."
    )
    latency_targets: tuple[str, ...] = _row(
        (),
        LIST,
        "More addresses, `host:port`, whose distance in the network is measured, besides the server's.",
    )
    slow_query_ns: int = _row(
        100 * _SECOND_NS // 1000,
        DURATION,
        "A database call that takes longer is counted as slow, and its span says where in the code it was made.",
    )
    baggage_attributes: tuple[str, ...] = _row(
        ("user.id", "session.id", "tenant.id"),
        LIST,
        "Keys of baggage that become attributes of spans and log records; the others do not. `*` stands for all.",
    )

    # exceptions
    capture_exceptions: bool = _row(
        default=True,
        kind=BOOL,
        help_text="Record frames, causes and what nobody caught, beyond what OpenTelemetry does.",
    )
    capture_locals: bool = _row(default=True, kind=BOOL, help_text="Record local variables of frames, scrubbed.")
    source_lines: int = _row(5, whole(0, 20), "Source lines recorded before and after each frame's line.")
    in_app_include: tuple[str, ...] = _row((), LIST, "Modules whose frames are the application's own.")
    in_app_exclude: tuple[str, ...] = _row((), LIST, "Modules whose frames are not the application's own.")

    # spans in progress
    in_progress: bool = _row(
        default=False, kind=BOOL, help_text="Show spans that have not ended. `spanglass run` sets it."
    )
    in_progress_after_ns: int = _row(2 * _SECOND_NS, DURATION, "How long a span is open before it is shown.")

    # profiles
    profiler: bool = _row(
        default=False, kind=BOOL, help_text="Look at the stacks of all threads, and send what they were in."
    )
    profiler_rate: int = _row(20, whole(1, 100), "How often a second the profiler looks, at most.")

    # sampling
    sample_ratio: float = _row(1.0, RATIO, "Share of traces that are recorded, decided when they begin.")
    tail_sampling: bool = _row(
        default=False,
        kind=BOOL,
        help_text="Decide at the end of a trace: keep errors, slow ones, and a share of the rest.",
    )
    tail_keep_ratio: float = _row(0.1, RATIO, "Share of unremarkable traces that tail sampling keeps.")
    tail_slow_ns: int = _row(_SECOND_NS, DURATION, "A trace is slow when its local root took at least so long.")
    tail_max_spans: int = _row(
        20_000, whole(1), "Most spans that tail sampling holds back; then the oldest trace is decided."
    )

    # scrubbing
    scrub: bool = _row(
        default=True, kind=BOOL, help_text="Replace what looks like a secret before it leaves the process."
    )
    scrub_keys: tuple[str, ...] = _row((), LIST, "More words that mark an attribute's key as secret.")
    scrub_safe_keys: tuple[str, ...] = _row((), LIST, "Keys that are never scrubbed, whole.")

    # limits
    flush_timeout_ns: int = _row(
        5 * _SECOND_NS, DURATION, "How long the end of the process may wait for what is still to be sent."
    )
    max_queue_spans: int = _row(
        8192, whole(1), "Most spans that wait to be sent; more are dropped and counted.", otel="OTEL_BSP_MAX_QUEUE_SIZE"
    )
    max_queue_logs: int = _row(
        8192, whole(1), "Most log records that wait to be sent.", otel="OTEL_BLRP_MAX_QUEUE_SIZE"
    )


class Setting(NamedTuple):
    """One row of the table."""

    name: str  # the option of configure()
    attribute: str  # the field of Settings
    type: SettingType
    default: Any
    help: str
    variables: tuple[str, ...]  # environment variables, the first that is set wins


def _rows() -> dict[str, Setting]:
    rows = {}
    for made in dataclasses.fields(Settings):
        name = made.name.removesuffix("_ns")
        variables = tuple(filter(None, (f"SPANGLASS_{name.upper()}", made.metadata["otel"])))
        rows[name] = Setting(name, made.name, made.metadata["type"], made.default, made.metadata["help"], variables)
    return rows


TABLE: dict[str, Setting] = _rows()
