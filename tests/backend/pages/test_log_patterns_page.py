"""The page of patterns of log lines, over stored records."""

from __future__ import annotations

import re
from html import unescape

from in_process import read

SECOND = 1_000_000_000
NOW = 1_795_000_000
NOW_NS = NOW * SECOND


def line(body, ago_s, severity=9):
    """Make a stored log record."""
    return {
        "time_ns": (NOW - ago_s) * SECOND,
        "arrival_order": ago_s,
        "body": body,
        "severity_number": severity,
        "resource.service.name:str": "web",
    }


def test_patterns_are_listed(open_tables):
    """Each pattern is one row, marked if it is new or bad, and leads to its lines; hostile lines are text."""
    session = open_tables(
        logs=[
            *[line(f"order {n} placed", 1 + n) for n in range(5)],
            *[line(f"order {n} placed", 4000 + n) for n in range(5)],
            line("<script>alert(1)</script> 7 failed", 10, 17),
        ]
    )
    status, text, source = read(session, "/logs?view=patterns&last=1h", NOW_NS)
    assert status == 200
    assert "2 patterns 6 lines" in text
    assert "<script>alert" not in source.partition("<main")[2]
    assert re.findall(r'<span class="badge (\w+)"', source.partition("<main")[2]) == ["err", "on"]
    links = re.findall(r'<a class="mono" href="([^"]*)"', source)
    found = [read(session, unescape(link), NOW_NS)[1] for link in links]
    assert ["5 lines" in found[0], "1 lines" in found[1]] == [True, True]


def test_nothing_to_list(open_tables):
    """A broken filter is told at its field; a filter that finds nothing says so."""
    session = open_tables(logs=[line("order 1 placed", 5)])
    status, text, _ = read(session, "/logs?view=patterns&filter=body ~ (", NOW_NS)
    assert status == 400
    status, text, _ = read(session, "/logs?view=patterns&filter=body:nothing&last=1h", NOW_NS)
    assert (status, "Nothing matches" in text) == (200, True)
