"""The page of the server, and the banner that every page has while no records are taken in."""

from __future__ import annotations

import pytest
from made_up_status import FULL_DISK, SENDER

from spanglass_server.pages.rendering.format import NONE
from spanglass_server.pages.server import ADVICE

pytestmark = pytest.mark.browser

BANNER = (
    f"No records are taken in: {FULL_DISK}. Free space on the server's disk, or let it write to its data directory; "
    "it goes on by itself within seconds. Senders are told to come back until then, and what is stored can be read."
)


def lines(page, selector):
    """Return the text of each element, blanks of any kind as one space."""
    return [" ".join(text.split()) for text in page.locator(selector).all_inner_texts()]


@pytest.mark.parametrize(
    ("scenario", "answer"),
    [
        ("empty", "Ready. Nothing has come in since the start."),
        ("shop", "Taking records, but 5 records left out and 9 requests refused since the start."),
        ("unwell", "The server takes no records now."),
    ],
)
def test_opens_with_its_answer(open_page, scenario, answer):
    """The heading says whether the server takes records, and what it turned away."""
    assert lines(open_page(scenario, "/server"), "h1") == [answer]


def test_well_when_nothing_was_turned_away(open_page, serve, monkeypatch):
    """A server that stored all that came says so, with the number."""
    api = serve("shop").api
    status = api._status([], {})
    for name in ("refused_requests", "rejected_records"):
        status["counters"][name] = {"series": []}
    monkeypatch.setattr(api, "_status", lambda *_: {**status, "rejections": []})
    page = open_page("shop", "/server")
    assert lines(page, "h1") == ["All is well: 738 000 records stored since the start, none turned away."]
    assert page.locator("#rejections").count() == 0


def test_reasons_are_added_up(open_page):
    """Refusals of one reason are one row: what to do, from where how many, and the number; records left out another."""
    assert lines(open_page("shop", "/server"), "#reasons tbody tr") == [
        f"unsupported {ADVICE['unsupported']} spans over HTTP (7), logs over gRPC (2) 9 requests",
        "trace_id must have 16 bytes spans 5 records",
    ]


def test_latest_rejections(open_page):
    """Each has its time in the reader's zone, what the sender was told, who that was, how many records and times."""
    assert lines(open_page("shop", "/server"), "#rejections tbody tr") == [
        f"13:00:00 spans over HTTP left out 5 rejected: trace_id must have 16 bytes {SENDER} 192.0.2.7 5 1",
        f"12:59:00 spans over gRPC overloaded, will retry the server is busy; try later {SENDER} 192.0.2.7 all 1",
        "12:58:00 spans over HTTP unsupported Content-Type 'text/plain' is not supported curl/8.5.0 192.0.2.7 all 7",
    ]


def test_scraped_targets(open_page):
    """Targets that fail come first and say why; one that was not scraped yet says that."""
    page = open_page("shop", "/server")
    found = lines(page, "#targets tbody tr")
    assert [line.split()[0] for line in found] == ["gone.example:9100", "up.example:9100", "new.example:9100"]
    assert "the target answered 500" in found[0]
    assert "not yet" in found[2]


def test_figures(open_page):
    """Rates, sizes, ages and query times are worked out from the counters."""
    page = open_page("shop", "/server")
    assert lines(page, "#received tbody tr")[0] == "spans 738 000 100/s 7 000 123 96MiB 0"
    assert lines(page, "#stored tbody tr")[:2] == [
        "spans 738 000 15MiB 21.3B 0 0 10:57 30 days",
        f"log records 0 0B {NONE} 0 0 {NONE} ever",
    ]
    assert lines(page, "#queries tbody tr") == ["/traces 4 1 100ms 250ms"]


@pytest.mark.parametrize("path", ["/services", "/traces", "/logs", "/server", "/nothing"])
def test_banner_while_unhealthy(open_page, path):
    """Every page says that no records are taken in, why, and what to do; the page of the server is one click away."""
    page = open_page("unwell", path, allow=("Failed to load resource",))
    assert lines(page, ".alarm p") == [BANNER]
    assert page.locator(".alarm a[href='/server']").count() == (path != "/server")


@pytest.mark.parametrize("path", ["/services", "/server"])
def test_banner_fits_a_phone(open_page, path):
    """The banner does not make a page scroll sideways."""
    page = open_page("unwell", path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_banner_while_healthy(open_page):
    """A server that is well says nothing."""
    assert open_page("shop", "/services").locator(".alarm").count() == 0
