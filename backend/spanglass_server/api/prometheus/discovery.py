"""Routes about which series, labels and values there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.api.params import Param
from spanglass_server.api.prometheus.params import label_name
from spanglass_server.api.prometheus.routing import ASKED, PrometheusRoute, Reply
from spanglass_server.api.prometheus.selecting import selectors_of
from spanglass_server.api.schema import STRING, array, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.api.prometheus.routing import Question

CUT = "results truncated due to limit"


def _series(question: Question) -> Reply:
    return limited(question.series.series(selectors_of(question.form, is_required=True)), question.form)


def _labels(question: Question) -> Reply:
    return limited(question.series.label_names(selectors_of(question.form)), question.form)


def _values(question: Question) -> Reply:
    name = label_name(question.form.required("name"))
    return limited(question.series.label_values(name, selectors_of(question.form)), question.form)


def limited(found: Sequence[Any], form: Form) -> Reply:
    """The first things found, and a warning where there are more."""
    limit = form.count("limit")
    if limit and len(found) > limit:
        return Reply(orjson.dumps(found[:limit]), (CUT,))
    return Reply(orjson.dumps(found))


_MATCH = Param("match[]", "text", help='A selector of series such as up{job="web"}; may be repeated.')
_RANGE = (
    Param("start", "text", help="Only series with samples from here on: Unix time in seconds or RFC 3339."),
    Param("end", "text", help="And up to here."),
    Param("limit", "text", help="Most things to return; 0 and nothing: all."),
)

ROUTES = (
    PrometheusRoute(
        path="/series",
        summary="The label sets of series.",
        methods=ASKED,
        parameters=(_MATCH, *_RANGE),
        data=array(table(STRING)),
        query=_series,
    ),
    PrometheusRoute(
        path="/labels",
        summary="The names of labels.",
        methods=ASKED,
        parameters=(_MATCH, *_RANGE),
        data=array(STRING),
        query=_labels,
    ),
    PrometheusRoute(
        path="/label/{name:path}/values",
        summary="The values of a label.",
        parameters=(
            Param("name", "text", help="The label; names that are not plain may be written U__http_2e_route."),
            _MATCH,
            *_RANGE,
        ),
        data=array(STRING),
        query=_values,
    ),
)
