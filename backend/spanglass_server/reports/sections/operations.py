"""Operations that got slower or fail more than in the range before, those that cost most first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

#: So many services are looked at, those with most requests, and so many operations of each.
_SERVICES: Final = 10
_OPERATIONS: Final = 1000
_MOST: Final = 10
#: Fewer requests say nothing about a percentile or a share.
_LEAST: Final = 20
#: A change below is none that somebody would feel.
_SLOWER: Final = 0.1
_MORE_FAILING: Final = 0.005

Operations = list[dict[str, Any]]
Pair = tuple[str, dict[str, Any], dict[str, Any]]  # service, operation now, and before


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
    return [*_slower(questions, pairs), *_failing(questions, pairs), *left_out]


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


def _slower(questions: Questions, pairs: Sequence[Pair]) -> list[Block]:
    found = [pair for pair in pairs if (blocks.change(pair[1]["p95_ns"], pair[2]["p95_ns"]) or 0.0) >= _SLOWER]
    if not found:
        return [blocks.text(f"No operation got slower by {_SLOWER:.0%} or more at its p95.")]
    found.sort(key=lambda pair: -pair[1]["requests"] * (pair[1]["p95_ns"] - pair[2]["p95_ns"]))
    rows = [
        blocks.row(
            *_names(service, now),
            now["requests"],
            now["p95_ns"],
            then["p95_ns"],
            blocks.change(now["p95_ns"], then["p95_ns"]),
            link=_link(questions, service, now),
        )
        for service, now, then in found[:_MOST]
    ]
    columns: blocks.Columns = (
        ("Operation", "text"),
        ("Service", "text"),
        ("Requests", "count"),
        ("p95", "ns"),
        ("p95 before", "ns"),
        ("Change", "change"),
    )
    return [blocks.table("Slower", columns, rows, len(found) - _MOST)]


def _failing(questions: Questions, pairs: Sequence[Pair]) -> list[Block]:
    found = [pair for pair in pairs if pair[1]["error_ratio"] - pair[2]["error_ratio"] >= _MORE_FAILING]
    if not found:
        return [blocks.text(f"No operation fails more often by {_MORE_FAILING:.1%} of its requests or more.")]
    found.sort(key=lambda pair: -pair[1]["requests"] * (pair[1]["error_ratio"] - pair[2]["error_ratio"]))
    rows = [
        blocks.row(
            *_names(service, now),
            now["requests"],
            now["errors"],
            now["error_ratio"],
            then["error_ratio"],
            link=_link(questions, service, now),
        )
        for service, now, then in found[:_MOST]
    ]
    columns: blocks.Columns = (
        ("Operation", "text"),
        ("Service", "text"),
        ("Requests", "count"),
        ("Failed", "count"),
        ("Share", "ratio"),
        ("Share before", "ratio"),
    )
    return [blocks.table("Failing more", columns, rows, len(found) - _MOST)]


def _names(service: str, operation: Mapping[str, Any]) -> tuple[str, str]:
    return operation["operation"] or "(no name)", service


def _link(questions: Questions, service: str, operation: Mapping[str, Any]) -> str:
    return blocks.link(questions.scope, "services", service, operation=operation["operation"])
