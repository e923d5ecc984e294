"""The pages of metrics over stored points: the list, one metric, and what they say where there is nothing."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from in_process import read
from metric_tables import SECOND, T0, counter, gauge, histogram

NOW_NS = (T0 + 600) * SECOND
RANGE = f"start={T0}&end={T0 + 600}"


def page(session, path):
    """Read a page of the tests' range."""
    return read(session, f"{path}{'&' if '?' in path else '?'}{RANGE}", NOW_NS)


def drawn(text):
    """Return the data of a page's first chart."""
    return json.loads(unescape(re.search(r'data-draw="([^"]*)"', text)[1]))


def test_the_list_sorts_metrics_into_tabs(open_tables):
    """System, application, the user's own, and those that have stopped, each with its number."""
    rows = [
        gauge(590, 1.0, metric_name=name) for name in ("system.cpu.utilization", "http.server.duration", "shop.carts")
    ]
    rows.append(gauge(-60, 1.0, metric_name="old.one"))
    session = open_tables(metrics=rows)
    status, text, _ = page(session, "/metrics")
    assert status == 200
    assert "All 3 System 1 Application 1 Custom 1 Historical 0" in text
    assert "shop.carts" in page(session, "/metrics?tab=custom")[1]
    assert "system.cpu" not in page(session, "/metrics?tab=custom")[1]
    long = read(session, f"/metrics?tab=historical&start={T0 - 100}&end={T0 + 700}", NOW_NS)[1]
    assert "old.one" in long
    assert "shop.carts" not in long


def test_the_list_is_paged_and_searched(open_tables):
    """A hundred rows a page; a part of a name finds, in capitals or not."""
    session = open_tables(metrics=[gauge(590, 1.0, metric_name=f"m{k:03d}") for k in range(101)])
    text = page(session, "/metrics?page=2")[1]
    assert "101 to 101 of 101" in text
    assert "m100" in text
    assert "1 metric with “M07" not in page(session, "/metrics?q=M07")[1]
    assert "10 metrics with “M07” in the name" in page(session, "/metrics?q=M07")[1]


@pytest.mark.parametrize(("query", "says"), [("", "No metrics in this time range"), ("?q=nope", "No metric matches")])
def test_an_empty_list_says_what_to_do(open_tables, query, says):
    """Nothing sent, and nothing found, each with a way on."""
    assert says in page(open_tables(metrics=[]), f"/metrics{query}")[1]


def test_a_counter_is_drawn_as_its_rate_against_the_period_before(open_tables):
    """Ten a minute now, five before; the figure and the sentence hold both."""
    rows = [counter(t, t // 6, start_s=-9000) for t in range(0, 601, 60)]
    rows += [counter(t, (t + 600) // 12 - 50, start_s=-9000) for t in range(-600, 0, 60)]
    status, text, source = page(open_tables(metrics=rows), "/metrics/m")
    assert status == 200
    assert "0.167 /s was 0.0833 /s, +100 %" in text
    assert "sum (rate(m_total[5m]))" in text
    shown = drawn(source)
    assert shown["look"]["unit"] == "/s"
    assert [round(value, 3) for value in shown["frame"]["series"][0]["values"][-3:]] == [0.167, 0.167, 0.167]
    assert len(shown["previous"]["series"]) == 1


def test_a_histogram_is_drawn_as_quantiles_and_cells_with_exemplars(open_tables):
    """Three lines, a heatmap, and dots that know their trace."""
    more = {"exemplar_time_ns": [(T0 + 65) * SECOND], "exemplar_value_double": [3.0], "exemplar_value_int": [None],
            "exemplar_trace_id": [b"\x01" * 16], "exemplar_span_id": [b"\x02" * 8]}  # fmt: skip
    rows = [histogram(t, [t, t, t, 0], 2.0 * t, metric_unit="s", **more) for t in range(60, 601, 60)]
    _, text, source = page(open_tables(metrics=rows), "/metrics/m")
    shown = drawn(source)
    assert [series["name"] for series in shown["frame"]["series"]] == ["p99", "p95", "p50"]
    assert shown["exemplars"][0]["trace_id"] == "01" * 16
    assert "Distribution" in text
    assert source.count('<rect class="h') == 3 * 60
    assert "/traces/" + "01" * 16 in source


def test_groups_filter_and_series(open_tables):
    """By an attribute there is a line a value; a filter narrows lines and table alike."""
    rows = [gauge(t, float(k), **{"point.k:str": f"v{k}"}) for t in (60, 120) for k in range(3)]
    session = open_tables(metrics=rows)
    assert [s["name"] for s in drawn(page(session, "/metrics/m?by=k")[2])["frame"]["series"]] == ["v2", "v1", "v0"]
    text = page(session, "/metrics/m?by=k&filter=k%20%3D%20v1")[1]
    assert "Series 1 k" in text
    assert "No point of this metric matches the filter" in page(session, "/metrics/m?filter=k%20%3D%20nope")[1]


def test_a_filter_that_promql_cannot_say_is_drawn_all_the_same(open_tables):
    """With an ``or`` the lines are exact increases, and there is no expression."""
    rows = [counter(t, t // 6, start_s=-9000, **{"point.k:str": "a"}) for t in range(0, 601, 60)]
    _, text, source = page(open_tables(metrics=rows), "/metrics/m?filter=k%20%3D%20a%20or%20k%20%3D%20b")
    assert "cannot be said in PromQL" in text
    assert [round(value, 3) for value in drawn(source)["frame"]["series"][0]["values"][2:5]] == [0.167, 0.167, 0.167]


def test_a_filter_that_cannot_be_read_is_marked(open_tables):
    """The page keeps its head and says where the filter is wrong."""
    status, text, source = page(open_tables(metrics=[gauge(60, 1.0)]), "/metrics/m?filter=k%20%3D")
    assert status == 400
    assert 'aria-invalid="true"' in source
    assert text.startswith("Metrics / m")


def test_a_metric_that_is_not_there_and_one_of_two_types(open_tables):
    """Where nothing is sent longer ranges are offered; a name of two types says both."""
    rows = [gauge(60, 1.0), counter(60, 1), counter(120, 1)]
    session = open_tables(metrics=rows)
    status, text, _ = page(session, "/metrics/none")
    assert status == 404
    assert "Last 30 days" in text
    assert "The name stands for several metrics" in page(session, "/metrics/m")[1]
    assert "gauge" in page(session, "/metrics/m?type=gauge")[1].partition("several")[0]
