"""How many requests, how many failed, how long they took, over time and against the range before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

#: Steps of charts.
STEPS: Final = 60
_NOTHING: Final[dict[str, Any]] = {
    "requests": 0, "errors": 0, "rate_per_s": 0.0, "error_ratio": 0.0, "p50_ns": None, "p95_ns": None, "p99_ns": None,
}  # fmt: skip


async def build(questions: Questions) -> list[Block]:
    """Figures and two charts, of all services or of one."""
    if questions.scope.service:
        now, before, series, earlier = await _of_service(questions, questions.scope.service)
    else:
        now, before = await questions.together(
            questions.now("requests", buckets=STEPS), questions.before("requests", buckets=STEPS)
        )
        series, earlier = now, before
    if not now["requests"] and not before["requests"]:
        return [blocks.text("No request was seen in this time, nor before it.")]
    return [_figures(now, before), *_charts(series, earlier["points"])]


async def _of_service(questions: Questions, service: str) -> tuple[dict[str, Any], ...]:
    listed, listed_before, series, earlier = await questions.together(
        questions.now("services", buckets=0),
        questions.before("services", buckets=0),
        questions.now("services", service, "series", buckets=STEPS),
        questions.before("services", service, "series", buckets=STEPS),
    )
    now, before = (
        next((each for each in listing["services"] if each["service"] == service), _NOTHING)
        for listing in (listed, listed_before)
    )
    return now, before, series, earlier


def _figures(now: Mapping[str, Any], before: Mapping[str, Any]) -> Block:
    known = before if before["requests"] else dict.fromkeys(_NOTHING)
    return blocks.figures(
        blocks.figure("Requests", "count", now["requests"], known["requests"]),
        blocks.figure("Failed", "count", now["errors"], known["errors"], "less"),
        blocks.figure("Share that failed", "ratio", now["error_ratio"], known["error_ratio"], "less"),
        blocks.figure("Duration, p50", "ns", now["p50_ns"], known["p50_ns"], "less"),
        blocks.figure("Duration, p95", "ns", now["p95_ns"], known["p95_ns"], "less"),
        blocks.figure("Duration, p99", "ns", now["p99_ns"], known["p99_ns"], "less"),
    )


def _charts(series: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> list[Block]:
    points, step_s = series["points"], series["step_s"]
    return [
        blocks.bars(
            "Requests over time",
            points,
            step_s,
            blocks.failures("failed", [point["errors"] for point in points]),
            blocks.line("others", [point["requests"] - point["errors"] for point in points]),
        ),
        blocks.lines(
            "Duration over time, p95",
            "ns",
            points,
            step_s,
            blocks.earlier("before", earlier, len(points), lambda point: point["p95_ns"]),
            blocks.line("p95", [point["p95_ns"] for point in points]),
        ),
    ]
