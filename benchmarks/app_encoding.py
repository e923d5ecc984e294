"""What a span and a log record cost to encode, by our encoder and by OpenTelemetry's, in the thread that exports.

    python benchmarks/app_encoding.py

The items of app_scrubbing.py: a FastAPI server's span, its query's, and a record with a message of its own, of 2000
requests in batches of 512, through one encoder as in a process that lives. Both take turns; the least of their times.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.trace import SpanKind

from app_scrubbing import make_logs, make_spans
from spanglass.delivery.encoding.logs import log_encoder
from spanglass.delivery.encoding.spans import span_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Encode = Callable[[Sequence[Any]], object]

_BATCH = 512
_ROUNDS = 15


def _cpu_us(encode: Encode, batches: Sequence[Sequence[Any]]) -> float:
    gc.collect()
    start_ns = time.thread_time_ns()
    for batch in batches:
        encode(batch)
    return (time.thread_time_ns() - start_ns) / sum(map(len, batches)) / 1000


def _measure(items: Sequence[Any], *encoders: Encode) -> list[float]:
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    rounds = [[_cpu_us(encode, batches) for encode in encoders] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    spans, records = make_spans(secret=False), make_logs(secret=False)
    pb_spans: Encode = lambda batch: encode_spans(batch).SerializePartialToString()  # noqa: E731 - two of a kind
    pb_logs: Encode = lambda batch: encode_logs(batch).SerializeToString()  # noqa: E731
    print("| CPU µs each | OpenTelemetry | Spanglass | |\n|---|---:|---:|---:|")
    for what, items, theirs, ours in (
        ("server span", [span for span in spans if span.kind is SpanKind.SERVER], pb_spans, span_encoder().encode),
        ("SQL span", [span for span in spans if span.kind is SpanKind.CLIENT], pb_spans, span_encoder().encode),
        ("both, in turns", spans, pb_spans, span_encoder().encode),
        ("log record", records, pb_logs, log_encoder().encode),
    ):
        before, after = _measure(items, theirs, ours)
        print(f"| {what} | {before:.1f} | {after:.1f} | {after / before:.2f} |")


if __name__ == "__main__":
    main()
