"""What scrubbing costs per span and per log record, in the thread that exports.

    python benchmarks/app_scrubbing.py

A request to FastAPI with one SQL query: the server's span, the query's, and one log record. Ids, query strings and
messages differ every time, as they do in life; routes, hosts and parametrised statements repeat.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from spanglass.scrubbing.exporters import ScrubbingLogExporter, ScrubbingSpanExporter
from spanglass.scrubbing.scrubber import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_REQUESTS = 2000
_SQL = "SELECT orders.id, orders.total FROM orders WHERE orders.customer_id = %(customer_id_1)s ORDER BY orders.placed"


class _Nowhere:
    """Takes everything and does nothing."""

    def export(self, _: Sequence[object]) -> Any:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def _server(number: int, *, secret: bool) -> dict[str, Any]:
    url = f"https://shop.example/orders/{number}?page={number % 9}"
    return {
        "http.request.method": "GET",
        "url.scheme": "https",
        "server.address": "shop.example",
        "server.port": 443,
        "network.protocol.version": "1.1",
        "url.path": f"/orders/{number}",
        "url.query": f"page={number % 9}" + ("&token=abcdef123456" if secret else ""),
        "url.full": url + ("&token=abcdef123456" if secret else ""),
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "client.address": f"10.0.{number % 200}.{number % 250}",
        "http.route": "/orders/{order_id}",
        "http.response.status_code": 200,
    }


def _query(number: int, *, secret: bool) -> dict[str, Any]:
    literal = f" AND email = 'bob{number}@example.org'" if secret else ""
    return {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.operation.name": "SELECT",
        "db.query.text": _SQL + literal,
        "server.address": "db.internal",
        "server.port": 5432,
    }


def make_spans(*, secret: bool) -> list[ReadableSpan]:
    """Two spans of each request: the server's and its query's."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("bench")
    for number in random.Random(1).sample(range(10**6), _REQUESTS):
        with tracer.start_as_current_span(
            "GET /orders/{order_id}", kind=SpanKind.SERVER, attributes=_server(number, secret=secret)
        ):
            tracer.start_span("SELECT shop", kind=SpanKind.CLIENT, attributes=_query(number, secret=secret)).end()
    return list(exporter.get_finished_spans())


def make_logs(*, secret: bool) -> list[Any]:
    """One record of each request."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("bench")
    for number in random.Random(1).sample(range(10**6), _REQUESTS):
        body = f"order {number} of customer {number % 977} was paid by card, total: {number / 100} EUR"
        logger.emit(
            LogRecord(
                body=body + (f" password=hunter{number}" if secret else ""),
                severity_number=SeverityNumber.INFO,
                attributes={
                    "code.file.path": "/srv/shop/orders.py",
                    "code.line.number": 42,
                    "logger.name": "shop.orders",
                },
            )
        )
    return list(exporter.get_finished_logs())


def _cpu_us(run: Callable[[], object], count: int) -> float:
    """The least CPU time of some runs, per item, in microseconds."""
    times = []
    for _ in range(7):
        gc.collect()
        start = time.process_time_ns()
        run()
        times.append((time.process_time_ns() - start) / count / 1000)
    return min(times)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(f"{'':44}{'us each':>10}")
    for what, secret in (("nothing to scrub", False), ("one secret in each", True)):
        for kind, items, wrap in (
            ("spans", make_spans(secret=secret), ScrubbingSpanExporter),
            ("log records", make_logs(secret=secret), ScrubbingLogExporter),
        ):
            # a fresh scrubber for each run: texts that differ are not yet known to it
            def run(items: list[Any] = items, wrap: Any = wrap) -> None:
                exporter = wrap(_Nowhere(), Scrubber())
                for start in range(0, len(items), 512):
                    exporter.export(items[start : start + 512])

            print(f"{kind + ', ' + what:44}{_cpu_us(run, len(items)):10.2f}")


if __name__ == "__main__":
    main()
