"""Patterns of log lines: how many lines each has, how that went, and which are new."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from spanglass_core.log_patterns import MASKS, Pattern, find_patterns
from spanglass_server.query.answers import JsonSchema, SampledShare, Time, TimeRange, UnixSeconds
from spanglass_server.query.language import format_filter
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.language.parsing.ast import Compare, Field, Operator, Value
from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import SEVERITIES, UNSET, Severity, severity_sql
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds, clamp, describe
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal, quote_text
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: Masked lines that are grouped; those with fewer lines are left out.
_MOST_LINES = 3_000
#: Of more records than these one of two, three, ... is read: masking a million takes two seconds.
_MOST_RECORDS = 300_000
#: Characters of a line that are looked at; only the first line of several is.
_LENGTH = 400
_LEVELS: tuple[Severity, ...] = (UNSET, *SEVERITIES)  # type: ignore[arg-type] # its keys are severities


class PatternPoint(TypedDict):
    """Lines of a step that begins at ``t``."""

    t: UnixSeconds
    lines: int


class LogPattern(TypedDict):
    """Lines that are alike. ``before`` is how many there were in the time before, as long as the range."""

    pattern: Annotated[str, JsonSchema({"description": "<*> stands for what differs"})]
    filter: Annotated[str, JsonSchema({"description": "finds its lines"})]
    lines: int
    before: int
    is_new: bool
    severity: Annotated[str, JsonSchema({"description": "the most severe of its lines"})]
    services: list[str]
    first_time: Time
    last_time: Time
    example: str
    points: list[PatternPoint]


class LogPatterns(TypedDict):
    """The answer of ``GET /api/v1/logs/patterns``: those with the most lines first."""

    window: TimeRange
    before: TimeRange
    step_s: float
    patterns: list[LogPattern]
    left_out: Annotated[int, JsonSchema({"description": "further patterns, with fewer lines"})]
    sampled_share: SampledShare


def log_patterns(
    session: QuerySession, window: Window, *, filter_text: str = "", buckets: int = 30, limit: int = 100
) -> LogPatterns:
    """Answer ``GET /api/v1/logs/patterns``; FilterError for a filter that can't be understood."""
    before = clamp(2 * window.start_ns - window.end_ns, window.start_ns)
    steps = Buckets.about(window, buckets)
    records = match_records(session, Signal.LOGS, clamp(before.start_ns, window.end_ns), filter_text)
    nth = -(-max(records.known.values(), default=0) // _MOST_RECORDS) or 1
    found = _count(session, records, steps, nth, window.start_ns)
    patterns = [
        _pattern(pattern, [row for line in pattern.lines for row in found[line]], steps, nth)
        for pattern in find_patterns(found)
    ]
    shown = sorted((each for each in patterns if each["lines"]), key=lambda each: (-each["lines"], each["pattern"]))
    return {
        "window": describe(window),
        "before": describe(before),
        "step_s": steps.step_s,
        "patterns": shown[:limit],
        "left_out": max(0, len(shown) - limit),
        "sampled_share": None if nth == 1 else 1 / nth,
    }


def count_lines(session: QuerySession, window: Window, step_ns: int) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Masked lines, the most frequent first, each with its rows: ``bucket`` and ``records``, by steps of a window.

    Of many records one of n is read; n is given as well.
    """
    records = match_records(session, Signal.LOGS, window)
    nth = -(-max(records.known.values(), default=0) // _MOST_RECORDS) or 1
    return _count(session, records, Buckets.of_step(window, step_ns), nth, window.start_ns), nth


def _count(
    session: QuerySession, records: Records, steps: Buckets, nth: int, start_ns: int
) -> dict[str, list[dict[str, Any]]]:
    """Masked lines, the most frequent first, each with its rows: lines in a step, or before the start."""
    masked = "line"
    for pattern, mask in MASKS:
        masked = f"regexp_replace({masked}, {quote_text(pattern)}, {quote_text(mask)}, 'g')"
    # by a hash: of lines that alternate, every second number would be those of one kind
    sampled = Sql(f"hash(arrival_order, time_ns) % {nth:d} = 0")
    columns = {"time_ns", "body", "arrival_order", SERVICE, *SEVERITY_COLUMNS}
    found = rows(
        session,
        statement(
            "logs/patterns",
            text=Sql(f"left(split_part(body, chr(10), 1), {_LENGTH})"),
            masked=Sql(masked),
            start_ns=start_ns,
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            service=SERVICE_NAME,
            severities=Sql(f"[{', '.join(map(quote_text, _LEVELS))}]"),
            severity=Sql(severity_sql()),
            relation=records.relation(session, columns),
            where=all_of([records.predicate, Sql("body IS NOT NULL"), *([sampled] if nth > 1 else [])]),
            count=_MOST_LINES,
        ),
    )
    by_line: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        by_line[row["masked"]].append(row)
    return by_line


def _pattern(pattern: Pattern, found: Sequence[dict[str, Any]], steps: Buckets, nth: int) -> LogPattern:
    """One pattern, of one of n of its lines."""
    inside = [row for row in found if row["bucket"] is not None]
    counts: Counter[int] = Counter()
    for row in inside:
        counts[row["bucket"]] += nth * row["records"]
    before = nth * sum(row["records"] for row in found if row["bucket"] is None)
    told = inside or found
    return {
        "pattern": pattern.text,
        "filter": format_filter(Compare(Field("body"), Operator.MATCHES, Value(pattern.regex, quoted=True))),
        "lines": counts.total(),
        "before": before,
        "is_new": not before,
        "severity": _LEVELS[max(row["level"] for row in told) - 1],
        "services": sorted({service for row in told for service in row["services"]}),
        "first_time": format_time(min(row["first_ns"] for row in told)),
        "last_time": format_time(max(row["last_ns"] for row in told)),
        "example": told[0]["example"],
        "points": [{"t": bucket_seconds(at), "lines": counts[place]} for place, at in enumerate(steps.starts_ns())],
    }
