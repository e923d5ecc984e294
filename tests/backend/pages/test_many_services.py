"""Pages of a fleet: two dozen services that all need attention, whose long names differ at their ends."""

from __future__ import annotations

import re
from html import unescape

import pytest
from in_process import read

SECOND = 1_000_000_000
NOW = 1_795_000_000
#: Markup that each row of a service that needs attention has once.
TOLD = "</a>:</b>"
NAMES = [f"web-gateway-of-the-shop-{number:02}" for number in range(24)]


def request(number, service, trace, *, failed):
    """Make a stored request of a service."""
    return {
        "trace_id": trace.to_bytes(16),
        "span_id": number.to_bytes(8),
        "resource.service.name:str": service,
        "name": "GET /",
        "kind": 2,
        "start_time_ns": (NOW - 600 + number % 500) * SECOND,
        "duration_ns": SECOND,
        "status_code": 2 if failed else None,
    }


@pytest.fixture(scope="module")
def fleet():
    """Make ten requests of each service, half of them failed, and one trace that goes through all."""
    own = [request(10 * i + j + 1, name, 10 * i + j + 1, failed=j % 2)
           for i, name in enumerate(NAMES) for j in range(10)]  # fmt: skip
    shared = [request(1_000 + i, name, 1_000, failed=False) for i, name in enumerate(NAMES)]
    return [*own, *({**span, "parent_span_id": (1_000).to_bytes(8) if i else None} for i, span in enumerate(shared))]


def page(session, path):
    """Read a page of the tests' range."""
    return read(session, f"{path}?start={NOW - 600}&end={NOW}", NOW * SECOND)


def test_what_is_wrong_pushes_no_table_away(open_tables, fleet):
    """Five of the services that need attention are told; the others are folded away, by what works without script."""
    _, text, source = page(open_tables(spans=fleet), "/services")
    before, folded = source.partition('<details class="more">')[::2]
    folded = folded.partition("</details>")[0]
    assert "24 need attention" in text
    assert (before.count(TOLD), folded.count(TOLD)) == (5, 19)
    assert re.search(r"<summary[^>]*>.*19 more</summary>", folded)


def test_the_overview_tells_five_services_and_leads_to_the_others(open_tables, fleet):
    """It renews itself, which would close what was unfolded: the others are one click away."""
    _, text, source = page(open_tables(spans=fleet), "/")
    told = source.partition('<ul class="now"')[2].partition("</ul>")[0]
    assert "24 things need attention" in text
    assert told.count(TOLD) == 5
    assert re.search(r'<a href="/services\?[^"]*">19 more services</a>', told)


def test_a_trace_tells_as_many_services_as_a_row_has_room_for(open_tables, fleet):
    """Whole names, and how many more; which ones is told where the pointer rests."""
    source = read(open_tables(spans=fleet), f"/traces?start={NOW - 600}&end={NOW}&sort=spans", NOW * SECOND)[2]
    row = next(row for row in source.split("<tr") if f"/traces/{1_000:032x}" in row)
    shown = re.findall(r'<span class="ends"><bdi>([^<]*)</bdi>', row)
    more, count = re.search(r'<span class="dim" title="([^"]*)">\+(\d+)</span>', row).groups()
    assert (len(shown), int(count)) == (2, 22)
    assert sorted([*shown, *unescape(more).split(", ")]) == NAMES
