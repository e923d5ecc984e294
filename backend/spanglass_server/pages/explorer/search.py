"""What searches share: the filter box, what is said where nothing is found, and paging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import Problem, of_api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from spanglass_server.pages.visit import Visit

T = TypeVar("T")

#: CSS class of a token by its kind in ``/filter/check``.
TOKEN_CSS = {"key": "t-k", "operator": "t-o", "string": "t-s", "number": "t-n", "word": "t-v", "bad": "t-n t-bad"}


@dataclass(frozen=True)
class FilterBox:
    """The text in the box, its coloured copy as (class, text) parts, and what is wrong with it."""

    text: str
    parts: Sequence[tuple[str, str]]
    problem: Problem | None
    signal: str


async def read_filter(visit: Visit, signal: str) -> FilterBox:
    """Check and colour the page's filter; an empty one needs no question."""
    text = visit.param("filter")
    if not text:
        return FilterBox("", [], None, signal)
    answer = await visit.api("filter", "check", signal=signal, filter=text)
    error = answer.get("error")
    problem = of_api(ApiError(400, error), visit) if not answer["ok"] and error else None
    return FilterBox(text, coloured(text, answer.get("tokens") or []), problem, signal)


async def answered(
    visit: Visit, signal: str, read: Callable[[Visit], Awaitable[T]]
) -> tuple[FilterBox, T | None, Problem | None]:
    """Read the filter, and what a page shows with it; nothing is asked with a wrong one. Else what is wrong."""
    box = await read_filter(visit, signal)
    if box.problem is not None:
        return box, None, box.problem
    try:
        return box, await read(visit), None
    except ApiError as error:
        return box, None, of_api(error, visit)


async def service_names(visit: Visit) -> list[str]:
    """Return the names of the services of the range, for a choice."""
    answer = await visit.api("services", **visit.window.as_params(), buckets=0)
    return sorted((row["service"] for row in answer["services"]), key=str.lower)


def coloured(text: str, tokens: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the text cut at its tokens; what lies between them has no class."""
    parts, at = [], 0
    for token in sorted(tokens, key=lambda token: token["start"]):
        start, end = token["start"], token["end"]
        if at <= start < end <= len(text):
            spelled = token["kind"] == "operator" and text[start].isalpha()  # and, or, not, in, exists
            css = "t-w" if spelled else TOKEN_CSS.get(token["kind"], "t-v")
            parts += [("", text[at:start]), (css, text[start:end])]
            at = end
    return [part for part in [*parts, ("", text[at:])] if part[1]]


async def unknown_keys(visit: Visit, signal: str, found: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the keys of a filter that found nothing which no record has, each with links to those that were meant."""
    text = visit.param("filter")
    if found or not text or visit.param("cursor"):
        return []
    question = visit.api("filter", "unknown", **visit.window.as_params(), signal=signal, filter=text)
    answer = await visit.attempt(question, {"unknown": []})
    return [
        {
            "key": each["key"],
            "meant": [(key, visit.here(filter=_corrected(text, each, key))) for key in each["nearest"]],
        }
        for each in answer["unknown"]
    ]


def _corrected(text: str, unknown: Mapping[str, Any], key: str) -> str:
    """Return the filter with the right key in place of an unknown one; as it is where that is written otherwise."""
    at = unknown["column"] - 1
    written = unknown["key"]
    return text[:at] + key + text[at + len(written) :] if text.startswith(written, at) else text


def next_page(visit: Visit, cursor: str | None) -> str | None:
    """Return the link to the next page of a list; its range is absolute so that the list stays the same."""
    if not cursor:
        return None
    fixed = {"last": None, "start": None, "end": None, **visit.window.absolute()}
    return visit.link(visit.path, {**dict(visit.params), **fixed, "cursor": cursor})
