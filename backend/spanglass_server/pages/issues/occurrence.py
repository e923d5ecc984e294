"""The occurrence that an issue's page shows: the latest, the first or any, with what its records tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_core.attribute_names import EXCEPTION_CHAIN
from spanglass_server.pages.explorer import search
from spanglass_server.pages.issues import stacks
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import columns, exceptions
from spanglass_server.pages.trace_views import waterfall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: What the page shows of the occurrence: the value in the URL, and its name.
VIEWS = (
    ("stack", "Stack"),
    ("trace", "Trace"),
    ("logs", "Before it"),
    ("attributes", "Attributes"),
    ("events", "All events"),
)
EVENTS = 50
#: Rows of the small waterfall besides the spans above the failing one.
NEAR_ROWS = 16
#: Spans of a trace that are looked at for it.
MOST_SPANS = 10_000
#: What stands for the id of an occurrence.
LATEST, FIRST = "latest", "first"
NOTHING: dict[str, Any] = {"occurrences": [], "next_cursor": None}


@dataclass(frozen=True)
class Chosen:
    """An occurrence, what of it the page shows, and what could not be read.

    ``attributes`` are those of its exception, ``data`` the same for script.
    """

    view: str
    occurrence: Mapping[str, Any] | None = None
    problem: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    data: str = "null"
    trace: Mapping[str, Any] | None = None
    trace_problem: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    next_page: str | None = None


async def choose(visit: Visit, issue_id: str) -> Chosen:
    """Read the occurrence that the URL names (``event``), and what its view needs."""
    view = visit.param("view") if visit.param("view") in dict(VIEWS) else VIEWS[0][0]
    if view == "events":
        return await _list(visit, issue_id)
    at = visit.param("event") or LATEST
    try:
        occurrence = await visit.api("issues", issue_id, "occurrences", at)
    except ApiError as error:
        is_gone = error.code == "not_found" and at in {LATEST, FIRST}
        return Chosen(view, problem=None if is_gone else str(error))
    return await _whole(visit, view, occurrence)


async def _list(visit: Visit, issue_id: str) -> Chosen:
    question = visit.api("issues", issue_id, "occurrences", limit=EVENTS, cursor=visit.param("cursor"))
    found = await visit.attempt(question, NOTHING)
    next_page = search.next_page(visit, found["next_cursor"])
    return Chosen("events", problem=found["problem"], events=found["occurrences"], next_page=next_page)


async def _whole(visit: Visit, view: str, occurrence: Mapping[str, Any]) -> Chosen:
    trace, rows, problem = await _trace(visit, view, occurrence)
    attributes = await asyncio.to_thread(_attributes, occurrence)
    return Chosen(
        view, occurrence, attributes=attributes, data=columns.as_data(attributes or None),
        trace=trace, trace_problem=problem, rows=rows,
    )  # fmt: skip


def _attributes(occurrence: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exception as attributes: whatever its language, with the structure of its stack if that can be read."""
    exception = occurrence["exception"]
    if exception is None:
        return {}
    handled = occurrence["handled"]
    chain = stacks.chain_of(exception)
    told = {exceptions.TYPE: exception["type"], exceptions.MESSAGE: exception["message"]}
    return {
        **exception["attributes"],
        **told,
        **({exceptions.STACK: exception["stacktrace"]} if exception["stacktrace"] else {}),
        **({EXCEPTION_CHAIN: chain} if chain else {}),
        **({} if handled is None else {exceptions.HANDLED: handled}),
    }


async def _trace(
    visit: Visit, view: str, occurrence: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, Sequence[Mapping[str, Any]], str | None]:
    """Return the trace of an occurrence, rows of its waterfall around it, and why there is none."""
    if not occurrence["trace_id"]:
        return None, (), None
    form = "waterfall" if view == "trace" else "summary"
    try:
        trace = await visit.api("traces", occurrence["trace_id"], format=form)
    except ApiError as error:
        return None, (), str(error)
    if view != "trace":
        return trace, (), None
    unpacked = columns.unpack(trace)
    rows = await asyncio.to_thread(waterfall.rows, unpacked, MOST_SPANS, visit.clock)
    return unpacked, around(rows, occurrence["span_id"] or ""), None


def around(rows: Sequence[Mapping[str, Any]], span_id: str) -> list[Mapping[str, Any]]:
    """Return the rows of a waterfall that tell where a span stands: those above it, its own, those next to it."""
    spans = {row["span"]["key"]: row["span"] for row in rows}
    own = next((span for span in spans.values() if span["span_id"] == span_id), None)
    if own is None:
        return list(rows[:NEAR_ROWS])
    above = {own["key"]}
    parent = own["parent_key"]
    while parent in spans and parent not in above:
        above.add(parent)
        parent = spans[parent]["parent_key"]
    place = list(spans).index(own["key"])
    kin = [
        at for at, span in enumerate(spans.values())
        if span["key"] not in above and span["parent_key"] in {own["key"], own["parent_key"]}
    ]  # fmt: skip
    near = set(sorted(kin, key=lambda at: abs(at - place))[:NEAR_ROWS])
    return [row for at, row in enumerate(rows) if row["span"]["key"] in above or at in near]
