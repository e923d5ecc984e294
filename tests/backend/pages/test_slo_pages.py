"""The pages of objectives over stored spans: what they say, where they lead, and what they refuse."""

from __future__ import annotations

import asyncio
import html
import re
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from in_process import TableEngine
from starlette.applications import Starlette

from spanglass_server.api.factory import ROUTES, create_api
from spanglass_server.api.slo.routes import slo_routes
from spanglass_server.pages.routes import page_routes
from spanglass_server.pages.slos import words
from spanglass_server.process.in_process_api import InProcessApi
from spanglass_server.signals import AttributeColumn, ValueType
from spanglass_server.slo.book import Book
from spanglass_server.slo.counting.ledger import Ledger
from spanglass_server.slo.counting.minutes import Minutes
from spanglass_server.slo.desk import SloDesk
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.store.store import SloStore
from spanglass_server.store.disk import DISK

NOW_NS = 1_900_000_000 * 10**9
MINUTE_NS = 60 * 10**9
SERVICE = AttributeColumn("resource", "service.name", ValueType.STR).name
EVIL = '"><script>alert(1)</script>'
SHOP = {"name": "Shop answers", "target": "99%", "spans": "service:shop", "good": "status != error"}


def requests(minutes_ago, good, bad=0):
    """Make requests of a minute."""
    return [
        {
            "trace_id": number.to_bytes(16, "big"),
            "span_id": (number + 1).to_bytes(8, "big"),
            "name": "GET",
            "kind": 2,
            "start_time_ns": NOW_NS - minutes_ago * MINUTE_NS + number,
            "duration_ns": 1_000_000,
            "status_code": 2 if number < bad else 0,
            SERVICE: "shop",
        }
        for number in range(good + bad)
    ]


@pytest.fixture
def pages(open_tables, tmp_path):
    """Yield a function that asks for a page of a server with some objectives: status, text, HTML."""
    store = SloStore(tmp_path / "slo.sqlite")
    book = Book(None, None, tmp_path / "kept", DISK, lambda: NOW_NS)
    up = SimpleNamespace(minutes=lambda _, first, last: Minutes(first, np.ones(last - first), np.zeros(last - first)))
    desk = SloDesk(book, Ledger(store, up, lambda: NOW_NS), store, lambda: NOW_NS)

    def read(path, slos, spans=()):
        for slo in slos:
            desk.put(OBJECTIVES.read_json(slo).found[0][0], "", "mara")
        shared = {"clock_ns": lambda: NOW_NS, "authorize": lambda _: None, "deadline_s": 9.0}
        engine = TableEngine(open_tables(spans=list(spans)))
        api = create_api([*ROUTES, *slo_routes(desk)], engine=engine, version="1", **shared)
        about = {"clock_ns": lambda: NOW_NS, "version": "1", "health": lambda: None, "first_time": lambda: 1}
        app = Starlette(routes=page_routes(InProcessApi(Starlette(routes=api)), **about))

        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
                return await client.get(path)

        answer = asyncio.run(ask())
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        return answer.status_code, " ".join(html.unescape(re.sub(r"<[^>]*>", " ", f"<{main}")).split()), answer.text

    yield read
    store.close()


def test_pages_say_what_is_left_and_what_used_it(pages):
    """A list begins with what is worst; a page says what is left, which stretch used it, and leads to its bad spans."""
    spans = [*requests(30, 60), *requests(10, 30, 10)]
    status, text, listed = pages("/slos", [SHOP, {"name": EVIL, "target": "99%", "check": "site"}], spans)
    assert status == 200
    assert text.startswith("Objectives 1 of 2 has used up the error budget.")
    assert "Shop answers service:shop" in text
    assert 'data-l="left"' in listed
    assert "used 10 times" in text

    status, text, source = pages("/slos/shop-answers", [], spans)
    assert status == 200
    assert "The error budget is used up: 10 events were bad, 1 may be" in text
    assert "Good 90 % · 99 % asked" in text
    assert "fast slo-shop-answers-fast critical 14.4 \u00d7 10 \u00d7" in text
    assert "mara created it" in text
    (episode,) = re.findall(r'href="(/differences[^"]+)">what is different', source)
    asked = parse_qs(urlsplit(html.unescape(episode)).query)
    assert (asked["filter"], asked["selected"]) == (["service:shop"], ["not (status != error)"])
    bad = html.unescape(re.findall(r'href="(/traces\?start[^"]+)">traces', source)[0])
    assert parse_qs(urlsplit(bad).query)["filter"] == ["(service:shop) and not (status != error)"]

    assert "Objectives" in pages("/services/shop", [], spans)[1]
    _, text, source = pages("/slos?status=ok", [], spans)
    assert EVIL in text
    assert EVIL not in source


def test_pages_without_events_and_forms(pages):
    """Without events that is said; a form has what is kept; one of a file is changed there; unknown ones are told."""
    status, text, _ = pages("/slos", [])
    assert (status, "No objectives yet." in text) == (200, True)
    status, text, _ = pages("/slos/shop-answers", [SHOP])
    assert (status, "No event in 30 days." in text) == (200, True)
    _, _, source = pages("/slos/shop-answers/edit", [])
    assert 'value="service:shop"' in source
    assert 'value="99%"' in source
    assert "kind = server" in html.unescape(pages("/slos/new?service=shop", [])[2])
    assert pages("/slos/shop-answer", [])[0] == 404


def test_past_ten_budgets_are_counted():
    """What is left, what a stretch used, and the axis say how many budgets where a percentage says nothing any more."""
    assert [words.left(each) for each in (None, 0.82, -9.0, -148.2)] == [
        "\u2013", "82\u202f%", "used 10 times", "used 149 times"
    ]  # fmt: skip
    assert [words.part(each) for each in (0.3, 10.0, 149.2)] == ["30\u202f%", "10 times", "149 times"]
    assert [words.mark(each) for each in (0.5, -200.0)] == ["50\u202f%", "\u2212200\u202f\u00d7"]
