"""Routes about which series, labels and values there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import Param
from spanglass_server.api.prometheus.params import label_name
from spanglass_server.api.prometheus.routing import ASKED, PrometheusRoute, Reply
from spanglass_server.api.prometheus.selecting import selector_of, selectors_of, vector_selectors
from spanglass_server.api.schema import ANYTHING, STRING, array, table
from spanglass_server.promql.parsing.parse import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.api.prometheus.routing import Question
    from spanglass_server.promql.stored.discovery.metadata import Metadata

CUT = "results truncated due to limit"


def _series(question: Question) -> Reply:
    return limited(question.series.series(selectors_of(question.form, is_required=True)), question.form)


def _labels(question: Question) -> Reply:
    return limited(question.series.label_names(selectors_of(question.form)), question.form)


def _values(question: Question) -> Reply:
    name = label_name(question.form.text("name"))
    return limited(question.series.label_values(name, selectors_of(question.form)), question.form)


def _metadata(question: Question) -> Reply:
    form = question.form
    found: dict[str, list[Metadata]] = question.series.metadata(*form.range_ms())
    found = {name: told for name, entries in found.items() if (told := [entry for entry in entries if _tells(entry)])}
    metric, limit, per_metric = form.text("metric"), form.count("limit"), form.count("limit_per_metric")
    if metric:
        found = {metric: found[metric]} if metric in found else {}
    chosen = list(found.items())[: limit or None]
    return Reply.of({name: entries[: per_metric or None] for name, entries in chosen})


def _tells(entry: Metadata) -> bool:
    """Whether anything is known: what remote write brings without metadata is not listed, as with Prometheus."""
    return entry["type"] != "unknown" or bool(entry["help"] or entry["unit"])


def _exemplars(question: Question) -> Reply:
    """The exemplars of all series that the selectors of an expression name."""
    form = question.form
    start_ms, end_ms = form.range_ms()
    expression = parse(form.text("query"))
    selectors = [selector_of(node, start_ms, end_ms) for node in vector_selectors(expression)]
    return Reply.of(question.series.exemplars(selectors))


def limited(found: Sequence[Any], form: Form) -> Reply:
    """The first things found, and a warning where there are more."""
    limit = form.count("limit")
    if limit and len(found) > limit:
        return Reply.of(found[:limit], CUT)
    return Reply.of(found)


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
    PrometheusRoute(
        path="/metadata",
        summary="Type, help and unit of metrics.",
        parameters=(
            Param("metric", "text", help="Only this one."),
            Param("limit", "text", help="Most metrics to return; 0 and nothing: all."),
            Param("limit_per_metric", "text", help="Most entries of a metric."),
        ),
        data=table(array(table(STRING))),
        query=_metadata,
    ),
    PrometheusRoute(
        path="/query_exemplars",
        summary="Exemplars of the series that an expression names.",
        methods=ASKED,
        parameters=(
            Param("query", "text", help="The expression, in PromQL.", required=True),
            Param("start", "text", help="Only exemplars from here on: Unix time in seconds or RFC 3339."),
            Param("end", "text", help="And up to here."),
        ),
        data=array(ANYTHING),
        query=_exemplars,
    ),
)
