"""Spans that match a question, and those of them that failed, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.query.answers import SampledShare, TimeRange, UnixSeconds
from spanglass_server.query.language.compiling.sql import TRUE
from spanglass_server.query.matching import Matching, match_spans
from spanglass_server.query.services.estimates import PROBABILITY, counting, sampled_share
from spanglass_server.query.span_figures.minutes import counts_over_time
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds, describe

if TYPE_CHECKING:
    from spanglass_server.query.matching import SpanQuestion
    from spanglass_server.store.ports import QuerySession, Window


class CountsPoint(TypedDict):
    """Spans of a bucket that starts at ``t``."""

    t: UnixSeconds
    spans: int
    errors: int


class SpanCounts(TypedDict):
    """The answer of ``GET /api/v1/traces/counts``."""

    window: TimeRange
    step_s: float
    points: list[CountsPoint]
    total: int
    errors: int
    sampled_share: SampledShare


def count_spans(session: QuerySession, question: SpanQuestion, buckets: int) -> SpanCounts:
    """Answer ``GET /api/v1/traces/counts``; a span that was sent twice counts twice here."""
    matching = match_spans(session, question)
    steps = Buckets.about(question.window, buckets)
    by_bucket = None
    if matching.predicate is TRUE and PROBABILITY not in matching.known:
        by_bucket = _count_all(session, question.window, steps)
    if by_bucket is None:
        by_bucket = _count_matching(session, matching, steps)
    empty = {"spans": 0, "errors": 0}
    points: list[CountsPoint] = [
        {"t": bucket_seconds(start_ns), "spans": row["spans"], "errors": row["errors"]}
        for bucket, start_ns in enumerate(steps.starts_ns())
        for row in (by_bucket.get(bucket, empty),)
    ]
    total = sum(point["spans"] for point in points)
    return {
        "window": describe(question.window),
        "step_s": steps.step_s,
        "points": points,
        "total": total,
        "errors": sum(point["errors"] for point in points),
        "sampled_share": sampled_share(sum(row["stored"] or 0 for row in by_bucket.values()), total),
    }


def _count_all(session: QuerySession, window: Window, steps: Buckets) -> dict[int, dict[str, Any]] | None:
    """Count all spans by step, without reading them; None where that can't be."""
    counted = counts_over_time(session, window, steps)
    if counted is None:
        return None
    spans, errors = counted.tolist()
    pairs = enumerate(zip(spans, errors, strict=True))
    return {bucket: {"spans": count, "errors": failed, "stored": None} for bucket, (count, failed) in pairs}


def _count_matching(session: QuerySession, matching: Matching, steps: Buckets) -> dict[int, dict[str, Any]]:
    """Count the spans that match by step."""
    counts, columns = counting(matching.known)
    counted = statement(
        "span_counts",
        first_ns=steps.first_ns,
        step_ns=steps.step_ns,
        relation=matching.relation(session, ("status_code", *columns)),
        where=matching.predicate,
        **counts,
    )
    return {row["bucket"]: row for row in rows(session, counted)}
