"""Summaries of traces, from the few columns of their spans that a list of traces shows.

Added up here and not in SQL: a page has some hundreds of spans, and planning the query took ten times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.query.matching import UNKNOWN_SERVICE
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_ERROR = 2


@dataclass(slots=True)
class Summary:
    """One trace, as far as its spans have been added. ``first_match_ns`` is when its first matching span started."""

    trace_id: bytes
    start_ns: int
    end_ns: int
    error_count: int = 0
    matched_spans: int = 0
    first_match_ns: int | None = None
    span_ids: set[bytes] = field(default_factory=set)
    #: Spans, errors and the first start of each service.
    services: dict[str, list[int]] = field(default_factory=dict)
    #: What makes a span the root, smallest first: whether it has a parent, its start and id; then service and name.
    root: tuple[bool, int, bytes, str, str] | None = None

    @property
    def root_missing(self) -> bool:
        """Whether every span names a parent."""
        return self.root is None or self.root[0]

    def as_json(self, slot_of: Callable[[str], int]) -> dict[str, Any]:
        """Give the trace as a list of traces shows it; without a root, its first span stands in for it."""
        service, operation = self.root[3:] if self.root is not None else ("", "")
        services = sorted(self.services.items(), key=lambda item: (item[1][2], item[0]))
        return {
            "trace_id": self.trace_id.hex(),
            "root_service": service,
            "root_operation": operation,
            "root_missing": self.root_missing,
            "start_time": format_time(self.start_ns),
            "duration_ns": self.end_ns - self.start_ns,
            "span_count": len(self.span_ids),
            "error_count": self.error_count,
            "matched_spans": self.matched_spans,
            "services": [
                {"service": name, "slot": slot_of(name), "spans": spans, "errors": errors}
                for name, (spans, errors, _) in services
            ],
        }


def add_up(table: pa.Table) -> dict[bytes, Summary]:
    """Add up spans by trace: columns as in ``trace_spans.sql``, rows in any order. A span sent twice counts once."""
    summaries: dict[bytes, Summary] = {}
    columns = (column.to_pylist() for column in table.columns)
    for trace_id, span_id, parent_id, start_ns, duration_ns, status, name, service, matched in zip(
        *columns, strict=True
    ):
        summary = summaries.get(trace_id)
        if summary is None:
            summary = summaries[trace_id] = Summary(trace_id, start_ns, start_ns)
        if span_id in summary.span_ids:
            continue
        summary.span_ids.add(span_id)
        summary.start_ns = min(summary.start_ns, start_ns)
        summary.end_ns = max(summary.end_ns, start_ns + duration_ns)
        is_error = status == _ERROR
        summary.error_count += is_error
        if matched:
            summary.matched_spans += 1
            summary.first_match_ns = min(start_ns, summary.first_match_ns or start_ns)
        _add_to_service(summary, service or UNKNOWN_SERVICE, start_ns, is_error=is_error)
        root = (parent_id is not None, start_ns, span_id, service or UNKNOWN_SERVICE, name or "")
        summary.root = root if summary.root is None else min(summary.root, root)
    return summaries


def _add_to_service(summary: Summary, service: str, start_ns: int, *, is_error: bool) -> None:
    """Count a span for its service."""
    counts = summary.services.setdefault(service, [0, 0, start_ns])
    counts[0] += 1
    counts[1] += is_error
    counts[2] = min(counts[2], start_ns)
