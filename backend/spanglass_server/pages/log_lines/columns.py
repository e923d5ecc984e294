"""Further columns of log lines: which the reader chose, which there are to choose from, and fields of JSON bodies."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.exceptions import rest_of_line
from spanglass_server.pages.rendering.terms import is_lost
from spanglass_server.query.rows.map_leaves import body_leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: Further columns of a page; a line has no room for more.
MOST = 4
#: Fields of a body that are shown.
_MOST_FIELDS = 100
#: Keys that are offered.
_OFFERED = 100


def chosen(visit: Visit) -> list[str]:
    """Return the keys that the URL names, the first few."""
    keys = dict.fromkeys(key for part in visit.exact("columns").split(",") if (key := part.strip()))
    return [*keys][:MOST]


def offered(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return keys that the lines of a page have, the most frequent first."""
    counts: dict[str, int] = {}
    for log in logs:
        for key in (*rest_of_line(log["attributes"]), *fields(log["body"])):
            if "," not in key and not is_lost(key):
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))[:_OFFERED]


def fields(body: Any) -> dict[str, Any]:
    """Return the values of a body that is a map or a JSON text, by the keys that filters know them by."""
    return {f"body.{path}": value for path, value in islice(body_leaves(body), _MOST_FIELDS)}
