"""Prepare the benchmarks' bodies once: deterministic OTLP requests of 500 records, with known answers.

    python benchmarks/generate.py [--kind traces|logs|metrics] [--bodies 2000] [--dir benchmarks/data]

Without --kind all three are made. 2,000 bodies are a million records, about 2 minutes of work and 0.6 GB for traces.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path
from typing import Any

from loadgen.prepared import DATA, Writer
from loadgen.records import INSTANCES, RECORDS_PER_BODY, MetricsMaker, logs_request
from loadgen.traces import BODIES_PER_GROUP, PROBE, SPANS_PER_BODY, MadeSpan, TraceMaker, encode_request, group_of_spans


class TraceFacts:
    """Counts the answers that a server must give over the prepared traces."""

    def __init__(self) -> None:
        self.services: Counter[str] = Counter()
        self.exceptions: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.probe_hits = self.attributes = 0
        self.traces: set[bytes] = set()
        self.samples: list[tuple[int, str, int]] = []

    def add(self, spans: list[MadeSpan], failures: list[str]) -> None:
        """Count the spans of one body, and the exceptions they carry."""
        self.exceptions.update(failures)
        for span in spans:
            self.traces.add(span.trace_id)
            self.services[span.service] += 1
            self.attributes += len(span.attributes)
            if span.service == PROBE["service"] and span.kind == 2:
                self.operations[span.name] += 1
            self.probe_hits += _is_probe(span)

    def report(self, bodies: int) -> dict[str, Any]:
        """Give the facts as they are written beside the bodies."""
        return {
            "group": BODIES_PER_GROUP,
            "traces": len(self.traces),
            "errors": self.exceptions.total(),
            "exceptions": self.exceptions,
            "attrs_per_span": self.attributes / (bodies * SPANS_PER_BODY),
            "probe": PROBE,
            "probe_hits": self.probe_hits,
            "spans_per_service": self.services,
            "checkout_server_ops": self.operations,
            "samples": self.samples,
        }


def _is_probe(span: MadeSpan) -> bool:
    return (
        span.service == PROBE["service"]
        and span.name == PROBE["operation"]
        and span.end_ns - span.start_ns > PROBE["min_ms"] * 1e6
        and tuple(PROBE["attr"]) in span.attributes
    )


def make_traces(folder: Path, bodies: int, seed: int) -> dict[str, Any]:
    """Write trace bodies, whole groups of them."""
    writer, rng, facts = Writer(folder, "traces"), random.Random(seed), TraceFacts()
    maker = TraceMaker(rng)
    for group in range(bodies // BODIES_PER_GROUP):
        spans, samples = group_of_spans(maker)
        facts.samples += [(group, *sample) for sample in samples]
        for first in range(0, len(spans), SPANS_PER_BODY):
            part = spans[first : first + SPANS_PER_BODY]
            body, failures = encode_request(part, rng)
            writer.add(body, SPANS_PER_BODY)
            facts.add(part, failures)
    return writer.close(facts.report(len(writer.starts)))


def make_logs(folder: Path, bodies: int, seed: int) -> dict[str, Any]:
    """Write log bodies."""
    writer, rng, errors = Writer(folder, "logs"), random.Random(seed + 1), 0
    for _ in range(bodies):
        body, failed = logs_request(rng)
        writer.add(body, RECORDS_PER_BODY)
        errors += failed
    return writer.close({"group": 1, "errors": errors})


def make_metrics(folder: Path, bodies: int, seed: int) -> dict[str, Any]:
    """Write metric bodies; a group is one export of every instance."""
    writer, maker = Writer(folder, "metrics"), MetricsMaker(random.Random(seed + 2))
    for _ in range(bodies):
        writer.add(maker.request(), RECORDS_PER_BODY)
    return writer.close({"group": len(INSTANCES), "series_sets": len(INSTANCES)})


MAKERS = {"traces": make_traces, "logs": make_logs, "metrics": make_metrics}


def main() -> None:
    """Prepare what the command line asks for."""
    parser = argparse.ArgumentParser(description="Prepare the benchmarks' bodies.")
    parser.add_argument("--dir", type=Path, default=DATA)
    parser.add_argument("--kind", choices=MAKERS, action="append")
    parser.add_argument("--bodies", type=int, default=2000, help="requests of 500 records each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for kind in options.kind or MAKERS:
        facts = MAKERS[kind](options.dir, options.bodies, options.seed)
        print(f"{kind}: {facts['items']:,} records in {facts['bodies']:,} bodies, {facts['bytes'] / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
