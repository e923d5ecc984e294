"""What the profiler costs: the processor time of a process whose threads do nothing but be looked at.

    python benchmarks/profiler.py [--seconds 20] [--rate 20]

Threads wait in a span, 40 calls deep, so that all that the process computes is looking, adding up and making records.
Prints the share of a core with and without the profiler for 1, 10 and 100 threads.
"""

from __future__ import annotations

import argparse
import threading
import time

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import TracerProvider

from spanglass.profiling.profiler import Profiler

DEPTH = 40
#: What docs/app/profiler.md promises.
LIMIT = 0.01


class _Nowhere(LogRecordExporter):
    """Sends nothing: what sending costs is measured by overhead.py."""

    def export(self, batch: object) -> LogRecordExportResult:
        """Leave it."""
        del batch
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Say that nothing waits."""
        del timeout_millis
        return True

    def shutdown(self) -> None:
        """Leave nothing behind."""


def _stay(calls: int, gate: threading.Event) -> None:
    gate.wait() if not calls else _stay(calls - 1, gate)


def measure(threads: int, rate: int, seconds: float, *, is_on: bool) -> float:
    """Return the share of a core that a process with so many waiting threads takes."""
    logs, traces, gate = LoggerProvider(), TracerProvider(), threading.Event()
    logs.add_log_record_processor(BatchLogRecordProcessor(_Nowhere()))
    tracer = traces.get_tracer("benchmark")
    profiler = Profiler(logs, rate=rate)
    end = profiler.begin() if is_on else lambda: None

    def work() -> None:
        with tracer.start_as_current_span("work"):
            _stay(DEPTH, gate)

    started = [threading.Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    time.sleep(1)
    began, used = time.monotonic(), time.process_time()
    time.sleep(seconds)
    share = (time.process_time() - used) / (time.monotonic() - began)
    gate.set()
    for thread in started:
        thread.join()
    profiler.shutdown()
    end()
    logs.shutdown()
    return share


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the profiler costs.")
    parser.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    parser.add_argument("--rate", type=int, default=20, help="looks a second, at most")
    options = parser.parse_args()
    print("| threads, 40 frames deep | without | share of a core | |", "|---:|---:|---:|---|", sep="\n")
    for threads in (1, 10, 100):
        without = measure(threads, options.rate, options.seconds, is_on=False)
        share = measure(threads, options.rate, options.seconds, is_on=True)
        print(f"| {threads} | {without:.2%} | {share:.2%} | {'ok' if share < LIMIT else 'ABOVE 1 %'} |", flush=True)


if __name__ == "__main__":
    main()
