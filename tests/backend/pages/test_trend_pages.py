"""The pages of trends, capacity and forecasts: what they say of series, and where they lead."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import numpy as np
import pytest
from in_process import read
from metric_tables import CUMULATIVE, T0, gauge, point

from spanglass_server.api.trends.routes import trend_routes
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.trends.marks import Mark, lines
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.trends.board import Board
from spanglass_server.trends.found import find
from spanglass_server.trends.history import WEEKS, History
from spanglass_server.trends.quantities import BY_NAME

HOUR_NS = 3_600 * 10**9
LAST = 472_200  # 2023-11-14 00:00 UTC in hours
NOW_NS = LAST * HOUR_NS + HOUR_NS // 2
EVIL = '<i>&"'


@pytest.fixture(scope="module")
def routes():
    """The routes over a board with a disk that fills up, a service whose memory jumped, and steady ones."""
    days, random = np.arange(672) / 24, np.random.default_rng(2)
    board = Board()
    given = {
        "disk": {"db": 0.5 + 0.015 * days, EVIL: np.full(672, 0.3)},
        "process-memory": {"shop": np.where(days < 20, 1e8, 2e8)},
    }
    for name, series in given.items():
        key = "host_name" if name == "disk" else "service_name"
        history = History(WEEKS, LAST)
        values = np.array([each * (1 + random.normal(0, 0.003, 672)) for each in series.values()])
        history.put(LAST - 671, [((key, label),) for label in series], values)
        board.put(find(BY_NAME[name], history))
    return trend_routes(board, StoredSeries)


def test_trends_and_capacity(open_tables, routes):
    """What fills up comes first, with when; names of telemetry are text; lists filter, and lead to the forecast."""
    session = open_tables()
    status, text, source = read(session, "/trends", NOW_NS, routes)
    assert status == 200
    assert text.index("Disk db") < text.index("Memory of a service shop")
    assert "+1.5 %" in text.replace("\u2009", " ")
    assert "95.4 MiB to 191 MiB 6 Nov" in text.replace("\u2009", " ")
    assert "3 series are watched, by values 1h apart over 28d" in text
    assert "<i>&" not in source
    assert re.search(r"\.chip \{[^\n]*&\[aria-current\] \{", load_assets().files["spanglass.css"].decode())
    assert "/forecast?query=max%28disk_usage%7Bhost_name%3D" in unescape(source)
    _, text, source = read(session, "/capacity", NOW_NS, routes)
    assert "in 5 days" in text
    assert "What is told is as of 00:00 (Disk) or later" in text
    assert "&ahead=28d&bound=1" in unescape(source)  # a week ahead the date would be out of the forecast
    assert "not in sight" in text
    assert "<i>&" not in source
    _, text, _ = read(session, "/capacity?text=nobody", NOW_NS, routes)
    assert "Nothing matches." in text
    _, text, _ = read(session, "/trends?kind=falling", NOW_NS, routes)
    assert "Nothing rises, falls or jumped." in text
    status, text, _ = read(session, "/trends?quantity=nothing", NOW_NS, routes)
    assert status == 400
    _, text, _ = read(session, "/trends", NOW_NS, trend_routes(Board(), StoredSeries))
    assert "Nothing has been read yet." in text


def test_a_forecast(open_tables, routes):
    """A query is asked for, what is wrong with it is said, and one without series says so."""
    session = open_tables()
    assert "What is to be forecast?" in read(session, "/forecast", NOW_NS, routes)[1]
    status, text, _ = read(session, "/forecast?query=disk_usge", NOW_NS, routes)
    assert (status, "disk_usage" in text) == (400, True), text
    status, text, _ = read(session, "/forecast?query=disk_usage&ahead=2d&bound=0.9", NOW_NS, routes)
    assert (status, "The query has no series." in text) == (200, True)
    assert read(session, "/forecast?query=disk_usage&bound=much", NOW_NS, routes)[0] == 400


def test_the_forecast_of_stored_values(open_tables, routes):
    """Stored values are drawn with what is expected, and when a bound is met; without a bound there is none."""
    memory = [gauge(LAST * 3600 - T0 - 3600 * (99 - hour), 100.0 + hour) for hour in range(100)]
    session = open_tables(metrics=memory)
    status, text, source = read(session, "/forecast?query=m&ahead=2d&bound=230", NOW_NS, routes)
    assert status == 200
    assert "Now 199 In 2d 247" in text
    assert "Meets the bound 15 Nov" in text
    assert source.count('class="c-lim"') == 1
    assert "Meets the bound" not in read(session, "/forecast?query=m&ahead=2d", NOW_NS, routes)[1]


def test_marks_on_charts(open_tables):
    """The slope and the levels stand on the charts that they are of, as label and line; elsewhere there is nothing."""
    days, noise = np.arange(672) / 24, np.random.default_rng(3).normal(0, 0.003, 672)
    board = Board()
    for name, keys, values in (
        ("disk", ("host_name", "db"), 0.3 + 0.01 * days),
        ("process-memory", ("service_name", "shop"), np.where(days < 20, 1e8, 2e8)),
        ("requests", ("service_name", "shop", "span_name", EVIL), 1.0 + 0.02 * days),
    ):
        history = History(WEEKS, LAST)
        labels = tuple(zip(keys[::2], keys[1::2], strict=True))
        history.put(LAST - 671, [labels], (values * (1 + noise))[None])
        board.put(find(BY_NAME[name], history))
    routes = trend_routes(board, StoredSeries)
    start_s = NOW_NS // 10**9 - 3600
    at = {"resource.host.name:str": "db", "resource.service.name:str": "shop"}
    size = {"metric_name": "system.filesystem.usage", "temporality": CUMULATIVE, "is_monotonic": False}
    disk = [
        point("sum", start_s - T0 + second, value_int=value, **size, **at,
              **{"point.system.filesystem.state:str": state})
        for second in range(0, 3000, 60) for state, value in (("used", 58), ("free", 42))
    ]  # fmt: skip
    memory = [gauge(start_s - T0 + second, 2e8, **{**at, "metric_name": "process.memory.usage"})
              for second in range(0, 3000, 60)]  # fmt: skip
    spans = [
        {"trace_id": bytes(15) + bytes([n]), "span_id": bytes(7) + bytes([n]), "name": EVIL, "kind": 2,
         "start_time_ns": (start_s + 60 * n) * 10**9, "duration_ns": 10**6, "status_code": 0,
         "resource.service.name:str": "shop"} for n in range(1, 55)
    ]  # fmt: skip
    session = open_tables(metrics=[*disk, *memory], spans=spans)

    status, text, source = read(session, "/hosts/db", NOW_NS, routes)
    assert (status, "rises 1 point/day" in text) == (200, True), text
    assert source.count('class="marks"') == source.count("&#34;guide&#34;: true") == 1
    assert source.count('class="c-l trend"') == 1
    assert "/trends?kind=all&quantity=disk&host=db" in unescape(source)
    _, text, source = read(session, "/metrics/process.memory.usage", NOW_NS, routes)
    assert re.search(
        r"Memory of a service shop jumped from 95.\d MiB to 191 MiB, .*6 Nov", text.replace("\u2009", " ")
    ), text
    assert "trend" in source.partition("data-draw")[2].partition(">")[0]
    _, text, source = read(session, f"/services/shop?operation={quote(EVIL)}", NOW_NS, routes)
    assert text.count("rises 1.3 %/day") == 1
    assert source.count('class="c-l trend"') == 0  # this hour has less than the line by far
    assert "<i>&" not in source
    _, text, source = read(session, "/services/shop", NOW_NS, routes)
    assert "Memory of a service jumped from" in text
    assert 'class="marks"' not in read(session, "/services/shop?operation=none", NOW_NS, routes)[2]


def test_lines_of_marks():
    """The line runs through the middle of the values with their slope, before and after a jump on its levels."""
    one = {"past": [float(n) for n in range(84)], "slope": {"per_day": 86_400.0}, "direction": "rising",
           "known_s": 84.0, "shifts": []}  # fmt: skip
    mark = Mark(one, "", "", "", "", 1000.0, 84.0)
    assert mark.values([900.0, 990.0, 1000.0]) == [None, pytest.approx(73.5), pytest.approx(83.5)]
    jump = {"time": "1970-01-01T00:16:00Z", "before": 1.0, "after": 5.0}
    assert Mark({**one, "direction": "steady", "shifts": [jump]}, "", "", "", "", 1000.0, 84.0).values(
        [950.0, 970.0]
    ) == [1.0, 5.0]
    assert lines([Mark({**one, "direction": "steady"}, "", "", "", "", 1000.0, 84.0)], [990.0]) == []
