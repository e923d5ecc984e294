"""Routes about keys and values: facets of a search, and completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.attributes.facets import MAX_KEYS, FacetList, ValueList, complete_values, count_facets
from spanglass_server.query.attributes.keys import KeyList, complete_keys
from spanglass_server.signals import ASKED, Signal

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

SIGNAL = Param("signal", "choice", "spans", "Which records.", choices=ASKED)
_PREFIX = Param("prefix", "text", help="What is typed already.")


def _facets(session: QuerySession, params: Params) -> FacetList:
    return count_facets(
        session,
        Signal(params["signal"]),
        params["window"],
        filter_text=params["filter"] or "",
        keys=params["keys"] or (),
        limit=params["limit"],
        alternatives=params["count"] == "alternatives",
    )


def _keys(session: QuerySession, params: Params) -> KeyList:
    return complete_keys(
        session,
        Signal(params["signal"]),
        params["window"],
        prefix=params["prefix"] or "",
        limit=params["limit"],
    )


def _values(session: QuerySession, params: Params) -> ValueList:
    return complete_values(
        session,
        Signal(params["signal"]),
        params["window"],
        params["key"],
        prefix=params["prefix"] or "",
        limit=params["limit"],
    )


ROUTES = (
    Route(
        path="/facets",
        summary="Values of keys with counts, for a filter.",
        parameters=(
            *RANGE,
            SIGNAL,
            FILTER,
            Param("keys", "keys", help="Keys to count; the usual ones of the signal unless said.", maximum=MAX_KEYS),
            Param(
                "count",
                "choice",
                "matching",
                "What is counted of a key whose values the filter itself chooses: matching records, or alternatives, "
                "without that condition.",
                choices=("matching", "alternatives"),
            ),
            limit_param(10),
        ),
        response=schema_of(FacetList),
        query=_facets,
    ),
    Route(
        path="/keys",
        summary="Keys with types and counts, for completion.",
        parameters=(*RANGE, SIGNAL, _PREFIX, limit_param(100)),
        response=schema_of(KeyList),
        query=_keys,
    ),
    Route(
        path="/values",
        summary="Values of one key with counts, for completion.",
        parameters=(
            *RANGE,
            SIGNAL,
            Param("key", "text", help="The key, as in a filter.", required=True),
            _PREFIX,
            limit_param(20),
        ),
        response=schema_of(ValueList),
        query=_values,
    ),
)
