"""The benchmark of growth: its shops, what it does when it is taken up again, and its chart."""

from __future__ import annotations

import json
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import generate
from loadgen.growth.chart import growth_chart
from loadgen.growth.loading import Loading
from loadgen.growth.questions import questions
from loadgen.growth.shops import FAILING_SHOPS, SHOPS, ManyShops, whole_traces
from loadgen.prepared import Bodies, Stream


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight prepared bodies of 500 spans, two groups."""
    made = tmp_path_factory.mktemp("prepared")
    generate.make_traces(made, 8, 1)
    return made


def test_each_group_comes_from_another_shop(folder):
    """Every service's name ends in the number of the shop, and nothing else of a body is changed."""
    shops, plain = ManyShops("traces", folder), Bodies("traces", folder)
    for index in (0, 3, 4):
        request = ExportTraceServiceRequest.FromString(shops.body(index, 5, turn=2))
        for resource_spans in request.resource_spans:
            name = resource_spans.resource.attributes[0].value
            name.string_value, suffix = name.string_value[:-3], name.string_value[-3:]
            assert suffix == f"-{index // 4 % SHOPS:02d}"
        assert request == ExportTraceServiceRequest.FromString(plain.body(index, 5, turn=2))
        assert request.resource_spans[0].scope_spans[0].spans[0].span_id.hex() == shops.first_span(index, 2)


def test_whole_traces_come_from_all_shops_in_turn(tmp_path):
    """A body is one trace, whose spans name the next shop; as many as there are shops have each of them once."""
    shops = whole_traces(tmp_path, SHOPS + 1)
    requests = [ExportTraceServiceRequest.FromString(shops.body(index, 0)) for index in range(len(shops))]
    named = [
        {each.resource.attributes[0].value.string_value[-3:] for each in request.resource_spans} for request in requests
    ]
    spans = [
        [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
        for request in requests
    ]
    assert named == [{f"-{index % SHOPS:02d}"} for index in range(SHOPS + 1)]
    assert [len({span.trace_id for span in each}) for each in spans] == [1] * len(spans)
    assert [len(each) for each in spans] == [shops.records(index) for index in range(len(shops))]
    assert shops.facts["items"] == sum(map(len, spans))


def test_of_whole_traces_some_shops_fail(tmp_path):
    """Requests of the first shops fail more often than the shipped rule allows (5 %), all others' far less often."""
    shops = whole_traces(tmp_path, 20 * SHOPS)
    failed: dict[bool, list[bool]] = {True: [], False: []}
    for index in range(len(shops)):
        request = ExportTraceServiceRequest.FromString(shops.body(index, 0))
        spans = [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
        served = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
        failed[shops.shop(index) < FAILING_SHOPS] += [span.status.code == Status.STATUS_CODE_ERROR for span in served]
    assert 0.07 < np.mean(failed[True]) < 0.15
    assert np.mean(failed[False]) < 0.01


def test_a_load_that_was_stopped_goes_on(folder, tmp_path):
    """Passes that are noted are not sent again, nor are the bodies of the next one that are stored."""
    bodies = ManyShops("traces", folder)
    stored = {bodies.first_span(index, 1) for index in (0, 5)}

    def request(method, path, body, headers):
        del method, path, headers
        found = [span_id for span_id in stored if span_id in json.loads(body)["sql"]]
        return SimpleNamespace(status=200, json=lambda: {"rows": [[" ".join(found) or None]]})

    loading = Loading(tmp_path / "3M", bodies, 3)
    loading.note["passes"].append({"spans": 4000, "wall_s": 1.0, "cpu_s": 1.0})
    loading._keep()
    again = Loading(tmp_path / "3M", bodies, 9)
    begin_ns, end_ns = again.plan.pass_ns(1)
    stream = Stream(bodies, 0, 1, begin_ns, end_ns, first_turn=1)

    assert (again.plan, len(again.note["passes"]), again.is_done) == (loading.plan, 1, False)
    assert again.plan.pass_ns(0)[1] == begin_ns
    assert again._missing(SimpleNamespace(request=request), stream, 1) == [1, 2, 3, 4, 6, 7]
    assert [question.name for question in questions(bodies, again.plan)][:2] == [
        "trace by id",
        "attribute = value, recent",
    ]


def test_the_chart_has_a_line_for_each_question():
    """Lines and names of all series, on scales of whole powers of ten."""
    drawn = ET.fromstring(growth_chart({"a < b": [(1, 3), (10, 30)], "c": [(1, 2), (10, 0.5)]}, "ms"))  # noqa: S314
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    lines = [line.get("points") for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")]

    assert {"a < b", "c", "0.1", "1", "100", "ms"} <= set(texts)
    assert [len(line.split()) for line in lines] == [2, 2]
