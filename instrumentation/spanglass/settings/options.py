"""The options of ``configure`` for type checkers and editors; ``table`` says what each one is."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

#: A text with its unit, such as ``"2s"`` or ``"100ms"``, or a ``timedelta``.
Duration = str | dt.timedelta


class Options(TypedDict, total=False):
    """Every option may be left out; None counts as left out."""

    enabled: bool | None
    service_name: str | None
    service_namespace: str | None
    release: str | None
    environment: str | None
    endpoint: str | None
    protocol: Literal["http/protobuf", "grpc"] | None
    token: str | None
    headers: Mapping[str, str] | None
    compression: Literal["gzip", "deflate", "none"] | None
    send_timeout: Duration | None
    spool_dir: str | os.PathLike[str] | None
    spool_max_bytes: int | str | None
    console: Literal["auto", "on", "off"] | None
    traces: bool | None
    metrics: bool | None
    logs: bool | None
    instrument: bool | None
    disabled_instrumentations: Sequence[str] | None
    semconv: Literal["new", "old", "dup"] | None
    framework_spans: bool | None
    logger_level: Literal["notset", "debug", "info", "warning", "error", "critical"] | None
    metric_interval: Duration | None
    collection_intervals: Sequence[str] | None
    runtime_metrics: bool | None
    latency_targets: Sequence[str] | None
    slow_query: Duration | None
    baggage_attributes: Sequence[str] | None
    capture_exceptions: bool | None
    capture_locals: bool | None
    source_lines: int | None
    in_app_include: Sequence[str] | None
    in_app_exclude: Sequence[str] | None
    in_progress: bool | None
    in_progress_after: Duration | None
    profiler: bool | None
    profiler_rate: int | None
    sample_ratio: float | str | None
    tail_sampling: bool | None
    tail_keep_ratio: float | str | None
    tail_slow: Duration | None
    tail_max_spans: int | None
    scrub: bool | None
    scrub_keys: Sequence[str] | None
    scrub_safe_keys: Sequence[str] | None
    flush_timeout: Duration | None
    max_queue_spans: int | None
    max_queue_logs: int | None
