"""Facets of a search: values with counts, each with the link that chooses it or leaves it out again.

The filter is their only state: a value is ticked when the filter chooses it, in whatever words, and several values of
one key are joined by ``in``. A facet's counts are made without its own condition: they say what else there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit
    from spanglass_server.signals import Signal

#: Values of the facet that the URL's ``more`` names.
MOST_VALUES = 200
NO_PICKERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Search:
    """What facets narrow: the filter, and by a facet's key the parameter that chooses a value of it besides.

    ``keys`` are counted besides those that are usual.
    """

    signal: Signal
    filter: str
    pickers: Mapping[str, str] = field(default_factory=lambda: NO_PICKERS)
    keys: Sequence[str] = ()


async def find(visit: Visit, search: Search, whole_filter: str) -> dict[str, Any]:
    """Return ``facets`` for the template; where they cannot be counted in time, ``facets_problem`` says so.

    ``whole_filter`` is the filter with the pickers.
    """
    shared = {**visit.window.as_params(), "signal": search.signal, "filter": whole_filter, "count": "alternatives"}
    questions = [visit.attempt(visit.api("facets", **shared), {"facets": []})]
    if search.keys:
        questions.append(visit.attempt(visit.api("facets", **shared, keys=",".join(search.keys)), {"facets": []}))
    more = visit.exact("more")
    if more:
        opened = visit.api("facets", **shared, keys=more, limit=MOST_VALUES)
        questions.append(visit.attempt(opened, {"facets": []}))
    counted, *rest = await visit.together(*questions)
    whole = {facet["key"]: facet for answer in rest for facet in answer["facets"]}
    found = {facet["key"]: facet for facet in counted["facets"]} | whole
    facets = [found[key] for key in dict.fromkeys((*search.keys, *found)) if key in found]
    return {"facets": rows(visit, search, facets), "facets_problem": counted["problem"]}


async def find_all(visit: Visit, signal: Signal) -> dict[str, Any]:
    """Return the facets of the whole range, for a page whose own search cannot be read: its values begin a new one."""
    return await find(visit, Search(signal, ""), "")


def rows(visit: Visit, search: Search, facets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Facets for the template; those without values are left out."""
    return [row for facet in facets if (row := _row(visit, search, facet))["values"]]


def _row(visit: Visit, search: Search, facet: Mapping[str, Any]) -> dict[str, Any]:
    key, text = facet["key"], search.filter
    changes: dict[str, str | None] = {}
    picker = search.pickers.get(key)
    if picker and visit.exact(picker):  # what a picker chose goes into the filter with the next click
        text, changes = terms.both(text, terms.term(key, visit.exact(picker))), {picker: None}
    chosen = terms.chosen(text, key, search.signal)
    shown = {terms.text_of(value["value"]) for value in facet["values"]}
    values = [*facet["values"], *({"value": value, "count": None} for value in chosen if value not in shown)]
    peak = max((value["count"] for value in facet["values"]), default=0) or 1

    def show(value: Mapping[str, Any]) -> dict[str, Any]:
        is_on = terms.text_of(value["value"]) in chosen
        toggled = terms.toggled(text, key, value["value"], search.signal)
        negated = terms.both(toggled if is_on else text, terms.term(key, value["value"], "!="))
        return {
            "text": value["value"], "count": value["count"], "share": round(100 * (value["count"] or 0) / peak, 1),
            "slot": value.get("slot"), "on": is_on,
            "href": visit.here(**changes, filter=toggled), "not": visit.here(**changes, filter=negated),
        }  # fmt: skip

    return {
        "key": key, "open": bool(chosen), "whole": visit.exact("more") == key,
        "more": max(0, facet.get("distinct", 0) - len(facet["values"])),
        "more_href": visit.here(more=key), "fewer_href": visit.here(more=None), "values": [*map(show, values)],
    }  # fmt: skip
