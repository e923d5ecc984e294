"""Alerts and incidents: how many, MTTA and MTTR, and the share that was over in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.notifications.messages import words
from spanglass_server.reports import blocks
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MONITORING: Final = "/api/monitoring"
_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class _Part:
    """Alerts, which end when they are resolved, or incidents, which recover before that."""

    name: str
    title: str
    ended: str
    recovers: bool


_PARTS: Final = (
    _Part("alerts", "Alerts", "resolved", recovers=False),
    _Part("incidents", "Incidents", "recovered", recovers=True),
)
_SORTS: Final = (("rule", "Rule"), ("severity", "Severity"))


async def build(questions: Questions) -> list[Block]:
    """Figures of both, then alerts by rule and severity."""
    service = questions.scope.service
    now, before = await questions.together(
        questions.now("incident-report", "", api=_MONITORING, service=service),
        questions.before("incident-report", "", api=_MONITORING, service=service),
    )
    found: list[Block] = []
    for part in _PARTS:
        of_now, of_before = (_all(answer[part.name]) for answer in (now, before))
        if of_now is None:
            found.append(blocks.text(f"{part.title}: none in this time."))
        else:
            found.append(_figures(part, of_now, of_before or {}, now["target_s"]))
    return found + [_table(now["alerts"]["by"].get(sort, []), title) for sort, title in _SORTS if _any(now, sort)]


def _any(answer: Mapping[str, Any], sort: str) -> bool:
    return bool(answer["alerts"]["by"].get(sort))


def _all(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The figures of all; None where nothing was opened."""
    every: Mapping[str, Any] = part["all"]
    return every if every["total"] else None


def _figures(part: _Part, now: Mapping[str, Any], then: Mapping[str, Any], target_s: float) -> Block:
    within = f"{part.title} {part.ended} within {words.duration(round(target_s * NS_PER_SECOND))}"
    recovery = blocks.figure("Recovery, since it began", "s", _mean(now, "recover"), _mean(then, "recover"), "less")
    return blocks.figures(
        blocks.figure(f"{part.title} opened", "count", now["total"], then.get("total"), "less"),
        blocks.figure("Not resolved", "count", now["open"], then.get("open"), "less"),
        blocks.figure("MTTA, to acknowledgement", "s", _mean(now, "acknowledge"), _mean(then, "acknowledge"), "less"),
        *([recovery] if part.recovers else []),
        blocks.figure("MTTR, to resolution", "s", _mean(now, "resolve"), _mean(then, "resolve"), "less"),
        blocks.figure(within, "ratio", now["within"], then.get("within"), "more"),
        blocks.figure("Late", "count", now["late"], then.get("late"), "less"),
    )


def _mean(figures: Mapping[str, Any], name: str) -> float | None:
    spread = figures.get(name)
    return spread["mean"] if spread else None


def _table(rows: list[Mapping[str, Any]], title: str) -> Block:
    columns: blocks.Columns = (
        (title, "text"),
        ("Opened", "count"),
        ("Resolved in time", "ratio"),
        ("MTTA", "s"),
        ("MTTR", "s"),
    )
    shown = [
        blocks.row(
            each["name"],
            each["total"],
            each["within"],
            _mean(each, "acknowledge"),
            _mean(each, "resolve"),
            link=blocks.place("rules", each["name"]) if title == "Rule" else None,
        )
        for each in rows[:_MOST]
    ]
    return blocks.table(f"Alerts by {title.lower()}", columns, shown, len(rows) - _MOST)
