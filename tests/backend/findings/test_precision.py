"""How often detectors are right, over thousands of traces with and without each pattern."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from trace_patterns import PATTERNS, case_of, make_traces

from spanglass_server.findings.detecting.detect import patterns
from spanglass_server.findings.detecting.reading import read_spans
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import TableSession


def figures(session: TableSession, labels: dict[bytes, str | None]) -> dict[str, tuple[float, float]]:
    """Precision and recall of each pattern: a trace is right if it has what was found of it, and nothing else."""
    spans = read_spans(session, ALL_TIME)
    found = patterns(session, spans, session.table(spans))
    traces = spans["trace_id"].to_pylist()
    told = defaultdict(set)
    for kind, row in zip(found["kind"].to_pylist(), found["request"].to_pylist(), strict=True):
        told[kind].add(case_of(traces[row]))
    meant = {name: {trace for trace, label in labels.items() if label == name} for name in PATTERNS}
    return {
        name: (
            len(told[name] & meant[name]) / max(1, len(told[name])),
            len(told[name] & meant[name]) / len(meant[name]),
        )
        for name in PATTERNS
    }


def test_detectors_are_right(open_tables: Callable[..., TableSession]) -> None:
    """Of 300 traces with and 300 without each pattern, 95 of 100 that are told have it, and 90 of 100 that have it are.

    A trace with one pattern in which another is told counts against the other.
    """
    rows, labels = make_traces(300, seed=14)
    for name, (precision, recall) in figures(open_tables(spans=rows), labels).items():
        assert precision >= 0.95, (name, precision)
        assert recall >= 0.9, (name, recall)
