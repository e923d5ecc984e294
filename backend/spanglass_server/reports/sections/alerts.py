"""Alerts and incidents: how many, MTTA and MTTR, and the share that was over in time."""

from __future__ import annotations

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
_PARTS: Final = (("alerts", "Alerts"), ("incidents", "Incidents"))
_SORTS: Final = (("rule", "Rule"), ("severity", "Severity"))


async def build(questions: Questions) -> list[Block]:
    """Figures of both, then alerts by rule and severity."""
    now, before = await questions.together(
        questions.now("incident-report", "", api=_MONITORING), questions.before("incident-report", "", api=_MONITORING)
    )
    service = questions.scope.service
    found: list[Block] = []
    for part, title in _PARTS:
        of_now, of_before = (_all(answer[part], service) for answer in (now, before))
        if of_now is None:
            found.append(blocks.text(f"{title}: none in this time."))
        else:
            found.append(_figures(title, of_now, of_before, now["target_s"]))
    if not service:
        found += [_table(now["alerts"]["by"].get(sort, []), title) for sort, title in _SORTS if _any(now, sort)]
    return found


def _any(answer: Mapping[str, Any], sort: str) -> bool:
    return bool(answer["alerts"]["by"].get(sort))


def _all(part: Mapping[str, Any], service: str) -> Mapping[str, Any] | None:
    """The figures of all, or of a service; None where nothing was opened."""
    rows: list[Mapping[str, Any]] = part["by"].get("service", []) if service else [part["all"]]
    return next((row for row in rows if row["total"] and row.get("name", service) == service), None)


def _figures(title: str, now: Mapping[str, Any], before: Mapping[str, Any] | None, target_s: float) -> Block:
    then = before or {}
    within = f"{title} over within {words.duration(round(target_s * NS_PER_SECOND))}"
    return blocks.figures(
        blocks.figure(f"{title} opened", "count", now["total"], then.get("total"), "less"),
        blocks.figure("Not over", "count", now["open"], then.get("open"), "less"),
        blocks.figure("MTTA, to acknowledgement", "s", _mean(now, "acknowledge"), _mean(then, "acknowledge"), "less"),
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
        ("Over in time", "ratio"),
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
