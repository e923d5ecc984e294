"""The routes that evaluate PromQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.api.params import Param
from spanglass_server.api.prometheus.answers.results import write_instant, write_range
from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.api.prometheus.routing import ASKED, PrometheusRoute, Reply
from spanglass_server.api.schema import ANYTHING, STRING, array, choice
from spanglass_server.promql.engine import Answer, Options, instant, range_query
from spanglass_server.promql.parsing.formatting import formatted
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Text

if TYPE_CHECKING:
    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.api.prometheus.routing import Question

_CUT = "results truncated due to limit"


def _instant(question: Question) -> Reply:
    started_s, form = time.perf_counter(), question.form
    time_ms, limit = form.time_ms("time", form.now_ms), form.count("limit")
    answer = instant(question.series, form.text("query"), time_ms, _options(question))
    evaluated_s = time.perf_counter()
    data, was_cut = write_instant(answer.value, time_ms, limit)
    return _reply(form, answer, data, was_cut=was_cut, times_s=(started_s, evaluated_s))


def _range(question: Question) -> Reply:
    started_s, form = time.perf_counter(), question.form
    steps, limit = form.steps(), form.count("limit")
    answer = range_query(question.series, form.text("query"), steps, _options(question))
    evaluated_s = time.perf_counter()
    if isinstance(answer.value, Samples | Text):
        kind = "string" if isinstance(answer.value, Text) else "range vector"
        raise BadParameterError(
            "query", f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
        )
    data, was_cut = write_range(answer.value, steps, limit)
    return _reply(form, answer, data, was_cut=was_cut, times_s=(started_s, evaluated_s))


def _options(question: Question) -> Options:
    lookback_ms = question.form.duration_ms("lookback_delta")
    if lookback_ms is None:
        return Options(deadline_s=question.deadline_s)
    if lookback_ms <= 0:
        raise BadParameterError("lookback_delta", "it must be longer than nothing")
    return Options(lookback_ms=lookback_ms, deadline_s=question.deadline_s)


def _reply(form: Form, answer: Answer, data: list[bytes], *, was_cut: bool, times_s: tuple[float, float]) -> Reply:
    """Put notes beside the data, and the times it took into it where they are asked for."""
    if form.text("stats"):
        data = [*data[:-1], b',"stats":' + orjson.dumps(_stats(*times_s)) + data[-1]]
    warnings = (*answer.warnings, _CUT) if was_cut else answer.warnings
    return Reply(data, warnings, answer.infos)


def _stats(started_s: float, evaluated_s: float) -> dict[str, Any]:
    """Prometheus' timings; how many samples were read is not counted."""
    total_s = time.perf_counter() - started_s
    return {
        "timings": {
            "evalTotalTime": round(evaluated_s - started_s, 6),
            "resultSortTime": 0,
            "queryPreparationTime": 0,
            "innerEvalTime": round(evaluated_s - started_s, 6),
            "execQueueTime": 0,
            "execTotalTime": round(total_s, 6),
        }
    }


def _format(question: Question) -> Reply:
    return Reply.of(formatted(question.form.text("query")))


_QUERY = Param("query", "text", help="The expression, in PromQL.", required=True)
_COMMON = (
    Param("timeout", "text", help="Stop after so long (30s); the setting query.deadline is the most."),
    Param("limit", "text", help="Most series of the answer; 0 and nothing: all."),
    Param("lookback_delta", "text", help="How old a sample may be that stands for a moment; 5m unless said."),
    Param("stats", "text", help="Anything: add how long it took."),
)
_RESULT = {
    "type": "object",
    "properties": {"resultType": choice("vector", "matrix", "scalar", "string"), "result": array(ANYTHING)},
    "required": ["resultType", "result"],
}

ROUTES = (
    PrometheusRoute(
        path="/query",
        summary="The value of an expression at one time.",
        methods=ASKED,
        parameters=(
            _QUERY,
            Param("time", "text", help="When: Unix time in seconds or RFC 3339; now unless said."),
            *_COMMON,
        ),
        data=_RESULT,
        query=_instant,
    ),
    PrometheusRoute(
        path="/query_range",
        summary="The values of an expression at steps of a range.",
        methods=ASKED,
        parameters=(
            _QUERY,
            Param("start", "text", help="The first step: Unix time in seconds or RFC 3339.", required=True),
            Param("end", "text", help="The last step is not after it.", required=True),
            Param("step", "text", help="From step to step: seconds or a duration like 1m.", required=True),
            *_COMMON,
        ),
        data=_RESULT,
        query=_range,
    ),
    PrometheusRoute(
        path="/format_query",
        summary="An expression, laid out to be read.",
        methods=ASKED,
        parameters=(_QUERY,),
        data=STRING,
        query=_format,
    ),
)
