"""Operations that got slower or fail more than in the range before, those that cost most first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block, Cell

#: So many services are looked at, those with most requests, and so many operations of each.
_SERVICES: Final = 10
_OPERATIONS: Final = 1000
_MOST: Final = 10
#: Fewer requests say nothing about a percentile or a share.
_LEAST: Final = 20
#: A change below is none that somebody would feel.
_SLOWER: Final = 0.1
_MORE_FAILING: Final = 0.005

Operation = dict[str, Any]
Operations = list[Operation]
Pair = tuple[str, Operation, Operation]  # service, operation now, and before


@dataclass(frozen=True, slots=True)
class _Change:
    """A way in which operations change for the worse: by their ``figure``, now and before."""

    title: str
    figure: str
    counts: Callable[[float, float], bool]
    none: str  # what is said where none did
    columns: blocks.Columns
    cells: Callable[[Operation, Operation], Sequence[Cell]]


_CHANGES: Final = (
    _Change(
        "Slower",
        "p95_ns",
        lambda now, then: (blocks.change(now, then) or 0.0) >= _SLOWER,
        f"No operation got slower by {_SLOWER:.0%} or more at its p95.",
        (("p95", "ns"), ("p95 before", "ns"), ("Change", "change")),
        lambda now, then: (now["p95_ns"], then["p95_ns"], blocks.change(now["p95_ns"], then["p95_ns"])),
    ),
    _Change(
        "Failing more",
        "error_ratio",
        lambda now, then: now - then >= _MORE_FAILING,
        f"No operation fails more often by {_MORE_FAILING:.1%} of its requests or more.",
        (("Failed", "count"), ("Share", "ratio"), ("Share before", "ratio")),
        lambda now, then: (now["errors"], now["error_ratio"], then["error_ratio"]),
    ),
)


async def build(questions: Questions) -> list[Block]:
    """Two tables; texts where nothing changed for the worse, or nothing is known of before."""
    services = await _services(questions)
    looked_at, pairs, cut = services[:_SERVICES], list[Pair](), list[str]()
    for service in looked_at:
        now, then = await _asked(questions, service)
        pairs += _pairs(service, now, then)
        cut += [service] if max(len(now), len(then)) >= _OPERATIONS else []
    left_out = _left_out(len(services), looked_at, cut)
    if not pairs:
        return [blocks.text(f"No operation had {_LEAST} requests in this time and in the one before."), *left_out]
    return [*(block for change in _CHANGES for block in _worse(questions, pairs, change)), *left_out]


async def _services(questions: Questions) -> Sequence[str]:
    """Those with most requests first."""
    if questions.scope.service:
        return [questions.scope.service]
    return [each["service"] for each in (await questions.now("services", buckets=0))["services"]]


async def _asked(questions: Questions, service: str) -> Sequence[Operations]:
    """The operations of a service now and before: its requests, or all spans where it had none."""
    found: Sequence[Operations] = ()
    for of in ("requests", "spans"):
        path = ("services", service, "operations")
        answers = await questions.together(
            questions.now(*path, of=of, sort="requests", limit=_OPERATIONS),
            questions.before(*path, of=of, sort="requests", limit=_OPERATIONS),
        )
        found = [answer["operations"] for answer in answers]
        if found[0]:
            break
    return found


def _pairs(service: str, now: Operations, before: Operations) -> Iterator[Pair]:
    known = {(each["operation"], each["kind"]): each for each in before}
    for each in now:
        then = known.get((each["operation"], each["kind"]))
        if then is not None and min(each["requests"], then["requests"]) >= _LEAST:
            yield service, each, then


def _left_out(services: int, looked_at: Sequence[str], cut: Sequence[str]) -> list[Block]:
    """What was not looked at."""
    told = []
    if services > len(looked_at):
        told.append(f"Only the {len(looked_at)} services with most requests were looked at, of {services:,}.")
    if cut:
        told.append(f"Only the {_OPERATIONS:,} operations with most requests were looked at, of {', '.join(cut)}.")
    return [blocks.text(" ".join(told))] if told else []


def _worse(questions: Questions, pairs: Sequence[Pair], change: _Change) -> list[Block]:
    """A table of those that changed for the worse, what costs most first; a text where none did."""
    found = [pair for pair in pairs if change.counts(pair[1][change.figure], pair[2][change.figure])]
    if not found:
        return [blocks.text(change.none)]
    found.sort(key=lambda pair: -pair[1]["requests"] * (pair[1][change.figure] - pair[2][change.figure]))
    rows = [
        blocks.row(
            now["operation"] or "(no name)",
            service,
            now["requests"],
            *change.cells(now, then),
            link=blocks.link(questions.scope, "services", service, operation=now["operation"]),
        )
        for service, now, then in found[:_MOST]
    ]
    columns: blocks.Columns = (("Operation", "text"), ("Service", "text"), ("Requests", "count"), *change.columns)
    return [blocks.table(change.title, columns, rows, len(found) - _MOST)]
