"""Pages about log lines, over stored records."""

from __future__ import annotations

import re
from html import unescape

from in_process import read

SECOND = 1_000_000_000
NOW = 1_795_000_000
NOW_NS = NOW * SECOND


def line(order, body, **columns):
    """Make a stored log record."""
    return {
        "time_ns": (NOW - 100 + order) * SECOND,
        "arrival_order": order,
        "body": body,
        "resource.service.name:str": "web",
        **columns,
    }


def bodies(source):
    """Return the texts of the lines in a page."""
    return [unescape(text).strip() for text in re.findall(r"<summary>.*?<code>(.*?)</code></summary>", source)]


def test_lines_around_one(open_tables):
    """A line's page has those before and after it, says what they have in common, and leads to more and to a search."""
    session = open_tables(
        logs=[
            *[line(order, f"line {order}", **{"resource.host.name:str": f"h{order % 2}"}) for order in range(1, 10)],
            line(10, "<script>alert(1)</script>", **{"resource.host.name:str": "h0"}),
        ]
    )
    _, _, found = read(session, "/logs?last=1h", NOW_NS)
    links = [unescape(link) for link in re.findall(r'href="(/logs/[^"]*)#hit"', found)]
    assert len(links) == 10
    path = next(link for link, body in zip(links, bodies(found), strict=True) if body == "line 6")
    status, text, source = read(session, path, NOW_NS)
    assert status == 200
    assert bodies(source) == ["line 2", "line 4", "line 6", "line 8", "<script>alert(1)</script>"]
    assert "2 before, 2 after" in text
    assert "<script>alert" not in source.partition("<main")[2]
    (same,) = re.findall(r'aria-label="Lines of the same">(.*?)</div>', source)
    assert re.findall(r">([^<]+)</a>", same) == ["Stream", "Service", "Host", "All"]
    status, text, source = read(session, f"{path}?same=all&before=1&after=1", NOW_NS)
    assert bodies(source) == ["line 5", "line 6", "line 7"]
    more = unescape(re.findall(r'href="([^"]*)#hit">More lines before', source)[0])
    assert bodies(read(session, more, NOW_NS)[2]) == ["line 2", "line 3", "line 4", "line 5", "line 6", "line 7"]
    search = unescape(re.findall(r'href="([^"]*)">Search in these lines', source)[0])
    assert bodies(read(session, search, NOW_NS)[2]) == ["line 5", "line 6", "line 7"]


def test_lines_around_none(open_tables):
    """An id that is none, one of a record that is gone, and what the record lacks are told with what to do."""
    session = open_tables(logs=[line(1, "only")])
    for path, status, word in (
        ("/logs/nonsense", 400, "Take the id of an answer"),
        ("/logs/5-7", 404, "may be past its retention"),
    ):
        told, text, _ = read(session, path, NOW_NS)
        assert (told, word in text) == (status, True)
    _, _, source = read(session, "/logs?last=1h", NOW_NS)
    (path,) = re.findall(r'href="(/logs/[^"]*)#hit"', source)
    told, text, _ = read(session, f"{path}?same=trace", NOW_NS)
    assert (told, "Ask for another one" in text) == (400, True)
    told, text, _ = read(session, f"{path}?same=all&before=x", NOW_NS)
    assert (told, "0 before, 0 after" in text) == (200, True)


def test_columns_and_fields_of_bodies(open_tables):
    """Chosen keys are columns and facets; a JSON body's fields are listed with a filter; all is exported as shown."""
    session = open_tables(
        logs=[
            line(1, '{"user": {"id": 7}, "a b": 1}', **{"log.route:str": "/<b>"}),
            line(2, "plain", **{"log.route:str": "/c"}),
            line(0, '{"$$d":{"nan":{"$double":"NaN"}},"raw":{"$bytes":"AA=="}}', body_type="json"),
        ]
    )
    _, _, source = read(session, "/logs?last=1h&filter=body.$d.nan+exists", NOW_NS)
    assert re.findall(r"<dt>(body[^<]*)</dt>", source) == ["body.$d.nan", "body.raw"]
    (offered,) = re.findall(r'aria-label="Keys of these lines">(.*?)</div>', source)
    assert re.findall(r">([^<]+)</a>", offered) == ["body.$d.nan", "body.raw"]  # as filters write them, no escapes
    status, _, source = read(session, "/logs?last=1h&filter=not+body.raw+exists&columns=body.user.id, route", NOW_NS)
    assert status == 200
    columns = re.findall(r'<span class="col" title="([^"]*)">(.*?)</span>(?!</span>)', source)
    assert [(key, unescape(re.sub("<[^>]*>", "", shown))) for key, shown in columns] == [
        ("body.user.id", "\u2013"), ("route", "/c"), ("body.user.id", "7"), ("route", "/<b>"),
    ]  # fmt: skip
    assert re.findall(r"<summary>([a-z_.]+)<svg", source)[:2] == ["body.user.id", "route"]
    (only,) = re.findall(r'href="([^"]*)" aria-label="filter body.user.id = 7"', source)
    assert bodies(read(session, unescape(only), NOW_NS)[2])[0].startswith('{"user"')
    assert 'aria-label="filter body.a b = 1"' not in source
    assert "<dt>body.a b</dt>" in source
    assert ">body.a b</a>" not in source  # no filter can name it
    export = unescape(re.findall(r'href="([^"]*)" download="logs.csv"', source)[0])
    assert export.startswith("/api/v1/logs/export?")
    assert "columns=body.user.id%2Croute" in export
