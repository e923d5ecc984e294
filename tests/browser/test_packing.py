"""What goes over the wire: pages and static files in gzip, and lines whose details wait until they are opened."""

from __future__ import annotations

import gzip
import posixpath
import re

import httpx
import pytest
from acting import open_details

from spanglass_server.pages.rendering.assets import load_assets

ASSETS = load_assets()


def fetch(url, encoding, method="GET"):
    """Return an answer's head and its bytes as they come over the wire."""
    with httpx.stream(method, url, headers={"accept-encoding": encoding}, timeout=60) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    "path", ["/logs", "/traces", "/services", ASSETS.url("spanglass.css"), ASSETS.url("js/main.js")]
)
def test_text_is_packed_for_those_who_take_it(serve, path):
    """Pages, scripts and styles are the same with and without gzip, and caches are told to keep them apart."""
    url = serve("shop").url + path
    plain, body = fetch(url, "identity")
    packed, small = fetch(url, "br, gzip")

    assert ("content-encoding" in plain.headers, packed.headers["content-encoding"]) == (False, "gzip")
    assert "accept-encoding" in plain.headers["vary"]
    assert plain.headers["vary"] == packed.headers["vary"]
    assert int(packed.headers["content-length"]) == len(small) < len(body)
    if path not in {"/logs", "/traces"}:  # their charts are drawn at random
        assert gzip.decompress(small) == body


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", ["/services", ASSETS.url("spanglass.css")])
def test_head_is_the_head_of_get(serve, path, encoding):
    """HEAD has the headers that GET has, the length and the encoding included, and no body."""
    url = serve("shop").url + path
    full, _ = fetch(url, encoding)
    head, body = fetch(url, encoding, "HEAD")

    names = ("content-length", "content-encoding", "content-type", "vary", "cache-control")
    assert [head.headers.get(name) for name in names] == [full.headers.get(name) for name in names]
    assert (head.status_code, body) == (200, b"")


def test_small_answers_go_as_they_are(serve):
    """What gzip would not make smaller than a packet is not packed."""
    answer, _ = fetch(serve("shop").url + "/static/0/nothing.css", "gzip")
    assert (answer.status_code, "content-encoding" in answer.headers) == (404, False)


def test_modules_are_asked_for_at_once(serve):
    """A page names all modules that its script imports, and those import: none is found only when another has come."""
    named = re.findall(r'<link rel="modulepreload" href="/static/\w+/([^"]+)">', serve("shop").fetch("/services").text)
    imported = {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        for name in ("js/main.js", *named)
        for path in re.findall(r'^import .* from "([^"]+)";$', ASSETS.files[name].decode(), re.MULTILINE)
    }
    assert len(named) > 20
    assert sorted(named) == sorted(imported)


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/traces", "/map", "/metrics/explore"])
def test_scripts_and_styles_of_a_page_are_small(open_page, path):
    """What a page loads of scripts and styles takes less than 250 kB over the wire; the map and charts are the most."""
    page = open_page("shop", path)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        """performance.getEntriesByType("resource").filter((file) => /[.](js|css)$/.test(file.name))
        .map((file) => file.encodedBodySize)"""
    )
    assert len(sizes) > 20
    assert 0 < sum(sizes) < 250_000


@pytest.mark.browser
def test_details_of_a_line_are_made_when_it_is_opened(open_page):
    """A page of 100 lines holds few elements; an opened line has its body, its attributes and its resource."""
    page = open_page("many", "/logs")
    assert page.locator(".log > .log-r").count() == 100
    assert page.evaluate("document.querySelectorAll('*').length") < 2_200
    line = page.locator(".log > .log-r").nth(3)
    assert line.locator("dt").count() == 0
    open_details(line.locator("> summary"))
    shown = line.locator("dt").all_inner_texts()
    assert {"time", "severity"} <= set(shown)
    before = len(shown)
    open_details(line.locator("> summary"))
    open_details(line.locator("> summary"))
    assert line.locator("dt").count() == before


@pytest.mark.browser
def test_details_of_a_line_are_there_without_script(open_page):
    """With script off a line opens to the same details."""
    page = open_page("many", "/logs", script=False)
    line = page.locator(".log > .log-r").nth(3)
    line.locator("> summary").click()
    assert {"time", "severity"} <= set(line.locator("dt").all_inner_texts())
