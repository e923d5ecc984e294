"""Services with their requests, failures and durations, against the range before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25
_NONE: Final[dict[str, Any]] = {"requests": None, "error_ratio": None, "p95_ns": None}


async def build(questions: Questions) -> list[Block]:
    """One table, services with most requests first, and those that are new or gone."""
    now, before = await questions.together(
        questions.now("services", buckets=0), questions.before("services", buckets=0)
    )
    found, known = now["services"], {each["service"]: each for each in before["services"]}
    if not found:
        return [blocks.text("No service sent a span in this time.")]
    rows = [
        blocks.row(
            each["service"],
            each["requests"],
            blocks.change(each["requests"], then["requests"]),
            each["error_ratio"],
            then["error_ratio"],
            each["p95_ns"],
            then["p95_ns"],
            link=blocks.link(questions.scope, "services", each["service"]),
        )
        for each in found[:_MOST]
        for then in (known.get(each["service"], _NONE),)
    ]
    columns: blocks.Columns = (
        ("Service", "text"), ("Requests", "count"), ("Change", "change"), ("Failed", "ratio"),
        ("Failed before", "ratio"), ("p95", "ns"), ("p95 before", "ns"),
    )  # fmt: skip
    told: list[Block] = [blocks.table("Services", columns, rows, len(found) - _MOST)]
    here = {each["service"] for each in found}
    if known:
        told += _named("New in this time", sorted(here - set(known)))
    told += _named("Silent since the range before", sorted(set(known) - here))
    return told


async def build_unknown(questions: Questions) -> list[Block]:
    """For a report about a service that sent no span at all: a sentence; nothing for any other."""
    name = questions.scope.service
    now, before = await questions.together(
        questions.now("services", buckets=0), questions.before("services", buckets=0)
    )
    if any(each["service"] == name for listing in (now, before) for each in listing["services"]):
        return []
    here = ", ".join(each["service"] for each in now["services"][:_MOST])
    known = f"Services that did: {here}." if here else "Nor did any other service."
    return [blocks.text(f"No span of a service {name!r} was seen in this time, nor before it. {known}")]


def _named(title: str, names: list[str]) -> list[Block]:
    if not names:
        return []
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return [blocks.text(f"{title}: {', '.join(names[:_MOST])}{more}.")]
