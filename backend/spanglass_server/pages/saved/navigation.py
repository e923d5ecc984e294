"""Saved views as every page shows them: in the navigation, in the menu, and as what the navigation opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from spanglass_server.saved.model import EXPLORERS, LONGEST_URL

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


def kept_views(visit: Visit) -> KeptViews:
    """Return the views of a page's reader; a view of their own comes before a shared one."""
    found = visit.site.views(visit.reader)
    here = visit.request.url.path
    shown = sorted(
        ({**view, "href": href(visit, view["url"]), "on": _is_shown(visit, view)} for view in found),
        key=lambda view: view["shared"],
    )
    menu = sorted(shown, key=lambda view: view["page"] != here)[:IN_MENU]
    defaults = {view["page"]: view["href"] for view in reversed(shown) if view["default"]}
    return KeptViews(_address(visit), [view for view in shown if view["pinned"]], menu, defaults)


def href(visit: Visit, url: str) -> str:
    """Return a view's address, in the range of the page that links to it unless it has its own."""
    parts = urlsplit(url)
    own = dict(parse_qsl(parts.query))
    return visit.link(parts.path, own if _RANGE & own.keys() else {**visit.range_params(), **own})


def _is_shown(visit: Visit, view: Mapping[str, Any]) -> bool:
    """Whether a page shows what a view is: its parameters but for the range and the place in a list."""
    here = {name: text for name, text in visit.params.items() if text and name not in _NOT_SAVED}
    there = {name: text for name, text in parse_qsl(urlsplit(view["url"]).query) if name not in _NOT_SAVED}
    return view["page"] == visit.request.url.path and here == there


def _address(visit: Visit) -> str | None:
    path = visit.request.url.path
    url = visit.link(
        visit.request.scope.get("raw_path", path.encode()).decode("ascii"), {**dict(visit.params), "cursor": None}
    )
    return url if "/" + path.split("/")[1] in EXPLORERS and len(url) <= LONGEST_URL else None
