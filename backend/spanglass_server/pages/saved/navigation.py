"""Saved views as every page shows them: in the navigation, in the menu, and as what the navigation opens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from spanglass_server.saved.model import EXPLORERS, LONGEST_URL, MOST_VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: So many views are in the menu; the page of views has all of them.
IN_MENU = 12
_RANGE = frozenset({"last", "start", "end"})
_NOT_SAVED = frozenset({"cursor", *_RANGE})


@dataclass(frozen=True, slots=True)
class KeptViews:
    """The views of a page's reader.

    Each is as the API has it, with ``href``, which has the page's range unless the view has its own, and ``on``:
    whether the page shows it. ``url`` is the page's address as it would be saved, None for one that can't be.
    """

    url: str | None
    pinned: Sequence[Mapping[str, Any]]
    menu: Sequence[Mapping[str, Any]]
    defaults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Address:
    """A view's address taken apart; ``params`` are those that tell whether a page shows the view."""

    path: str
    query: str
    has_range: bool
    params: Mapping[str, str]


def kept_views(visit: Visit) -> KeptViews:
    """Return the views of a page's reader; a view of their own comes before a shared one."""
    found = sorted(visit.site.views(visit.reader), key=lambda view: view["shared"])
    range_query = visit.link("", visit.range_params())
    here = visit.path, _that_tell(visit.params)

    def shown(view: Mapping[str, Any]) -> Mapping[str, Any]:
        address = _taken_apart(view["url"])
        return {**view, "href": _href(address, range_query), "on": (view["page"], address.params) == here}

    menu = sorted(found, key=lambda view: view["page"] != visit.path)[:IN_MENU]
    defaults = {
        view["page"]: _href(_taken_apart(view["url"]), range_query) for view in reversed(found) if view["default"]
    }
    pinned = [shown(view) for view in found if view["pinned"]]
    return KeptViews(_address(visit), pinned, [shown(view) for view in menu], defaults)


def href(visit: Visit, url: str) -> str:
    """Return a view's address, in the range of the page that links to it unless it has its own."""
    return _href(_taken_apart(url), visit.link("", visit.range_params()))


def _href(address: _Address, range_query: str) -> str:
    parts = [range_query.removeprefix("?"), address.query] if not address.has_range else [address.query]
    query = "&".join(filter(None, parts))
    return f"{address.path}?{query}" if query else address.path


@lru_cache(maxsize=MOST_VIEWS)
def _taken_apart(url: str) -> _Address:
    """Every page asks, of up to ``MOST_VIEWS`` long addresses: each is taken apart once."""
    parts = urlsplit(url)
    own = dict(parse_qsl(parts.query))
    return _Address(parts.path, urlencode(own, quote_via=quote), bool(_RANGE & own.keys()), _that_tell(own))


def _that_tell(params: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out what does not tell views apart: the range and the place in a list."""
    return {name: text for name, text in params.items() if text and name not in _NOT_SAVED}


def _address(visit: Visit) -> str | None:
    url = visit.link(visit.path, {**dict(visit.params), "cursor": None})
    return url if "/" + visit.path.split("/")[1] in EXPLORERS and len(url) <= LONGEST_URL else None
