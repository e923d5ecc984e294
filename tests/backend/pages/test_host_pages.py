"""The pages of hosts and processes, and the overview, over stored points and spans."""

from __future__ import annotations

import pytest
from in_process import read
from metric_tables import CUMULATIVE, SECOND, T0, counter, gauge, point

NOW_NS = (T0 + 600) * SECOND
RANGE = f"start={T0}&end={T0 + 600}"
GIB = 2**30


def page(session, path, query=RANGE):
    """Read a page of the tests' range."""
    return read(session, f"{path}?{query}", NOW_NS)


def host(name, *, used=50, until=600):
    """Make what a host sends: a busy half, a disk, a process of the service ``web``."""
    at = {"resource.host.name:str": name, "resource.service.name:str": "web"}
    rows = []
    disk = {**at, "point.system.filesystem.mountpoint:str": "/data"}
    level = {"metric_name": "system.filesystem.usage", "temporality": CUMULATIVE, "is_monotonic": False}
    process = {**at, "resource.process.pid:int": 7, "resource.process.command:str": "python app.py"}
    for t in range(0, until, 60):
        modes = ({"point.cpu.mode:str": mode} for mode in ("user", "idle"))
        rows += [counter(t, t, metric_name="system.cpu.time", **at, **mode) for mode in modes]
        for state, size in (("used", used), ("free", 100 - used)):
            at_state = {"point.system.filesystem.state:str": state}
            rows.append(point("sum", t, value_int=size * GIB, **level, **disk, **at_state))
        rows.append(gauge(t, 100.0 * 2**20, metric_name="process.memory.usage", **process))
        rows.append(counter(t, t // 2, metric_name="process.cpu.time", **process))
    return rows


def test_hosts_say_what_is_wrong_first(open_tables):
    """A full disk is red, silence amber, and a host that is well says nothing."""
    session = open_tables(metrics=[*host("db", used=98), *host("gone", until=120), *host("well")])
    status, text, source = page(session, "/hosts")
    assert status == 200
    assert "3 hosts 2 need attention" in text
    assert text.index("db : disk /data is 98 % full") < text.index("gone : nothing since 10:41")
    assert text.index("nothing since 10:41") < text.index("Fullest disk")
    assert source.count('<b class="err">') == 1


def test_a_host_has_charts_disks_and_processes(open_tables):
    """Its figures, its lines, the space of its disks, and its processes with a way to each."""
    _, text, source = page(open_tables(metrics=host("db")), "/hosts/db")
    assert text.startswith("Hosts / db web newest 1 min ago nothing needs attention")
    assert "Processors 50.0 %" in text
    assert "/data 50.0 % 50 GiB 100 GiB" in text
    assert source.count("data-draw=") == 2
    assert 'href="/processes/db/7?start=' in source
    status, text, _ = page(open_tables(metrics=host("db")), "/hosts/other")
    assert status == 404
    assert "Nothing of this host" in text


def test_a_process_has_its_figures(open_tables):
    """By its host and id, with what it is and what it uses."""
    session = open_tables(metrics=host("db"))
    _, text, source = page(session, "/processes/db/7")
    assert "web 7" in text
    assert "python app.py" in text
    assert "Processors 0.5 Memory 100 MiB" in text
    assert source.count("data-draw=") == 2
    assert "web python app.py db 7 0.5" in page(session, "/processes")[1]
    assert page(session, "/processes/db/8")[0] == 404


@pytest.mark.parametrize(
    ("path", "says"), [("/hosts", "No host sent metrics"), ("/processes", "No process sent metrics")]
)
def test_empty_pages_say_who_would_fill_them(open_tables, path, says):
    """With the command that does."""
    text = page(open_tables(metrics=[]), path)[1]
    assert says in text
    assert "http://here" in text


def span(time_s, *, service="web", failed=False):
    """Make a request of 100 ms."""
    number = time_s + 1000
    return {
        "trace_id": number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "name": "GET /",
        "kind": 2,
        "start_time_ns": (T0 + time_s) * SECOND,
        "duration_ns": 100_000_000,
        "status_code": 2 if failed else 0,
        "resource.service.name:str": service,
    }


def test_the_overview_says_what_is_wrong_and_shows_the_rest(open_tables):
    """A failing service, a full disk, a sender that stopped; then requests against the period before."""
    spans = [span(t, failed=t > 400 and t % 2 == 0) for t in range(-300, 600, 3)]
    metrics = [*host("db", used=98), *(counter(t, t, metric_name="shop.orders") for t in range(0, 600, 30))]
    metrics += [gauge(10, 1.0, metric_name="old.thing", **{"resource.service.name:str": "batch"})]
    status, text, source = page(open_tables(spans=spans, metrics=metrics), "/")
    assert status == 200
    assert text.startswith("Overview 3 things need attention")
    assert "web : 47.1 % of requests fail since 10:46" in text
    assert "db : disk /data is 98 % full" in text
    assert "batch has sent no metrics since 10:40" in text
    assert "Requests before 0.333 /s was 0.333 /s" in text or "Requests before 0.33 /s was" in text, text
    assert "shop.orders" in text
    assert "data-live" not in source  # a range of the past stands still


def test_the_overview_is_live_while_the_range_is(open_tables):
    """It goes on only where the range ends now, and is calm where nothing is wrong."""
    session = open_tables(spans=[span(t) for t in range(0, 600, 3)], metrics=host("db"))
    _, text, source = page(session, "/", "last=10m")
    assert text.startswith("Overview Nothing needs attention")
    assert source.count('data-live="10"') == 3


def test_where_nothing_comes_in_that_is_said_once(open_tables):
    """Silent services, hosts and senders are one thing when all of them are silent."""
    session = open_tables(spans=[span(t) for t in range(200)], metrics=host("db", used=98, until=120))
    text = read(session, "/?last=10m", NOW_NS)[1]
    assert text.startswith("Overview 1 thing needs attention")
    assert "Nothing has come in since 10:43" in text
    assert "nothing since" not in text


def test_the_overview_of_an_empty_server_tells_how_to_begin(open_tables):
    """There is nothing to show, and a way to change that."""
    assert "No records in this time range" in page(open_tables(), "/")[1]
