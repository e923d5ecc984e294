"""The page of coverage over stored records: what is there and missing, and hostile names."""

from __future__ import annotations

from in_process import read
from metric_tables import SECOND, T0, gauge
from task_records import span

EVIL = 'a/b?"<i>&'
SERVER = 2
RANGE, END_NS = f"start={T0}&end={T0 + 600}", (T0 + 600) * SECOND


def test_a_fleet_that_lacks_the_same_is_one_row(open_tables):
    """A family that all services lack is told once, with some of them, and how many others there are."""
    session = open_tables(spans=[span(SERVER, f"web-{number}", 10) for number in range(5)])
    _, text, source = read(session, f"/coverage?{RANGE}", END_NS)
    rows = source.partition('id="gaps"')[2].partition("</table>")[0].split("<tr>")[2:]
    assert len({row.partition("</td>")[0] for row in rows}) == len(rows)
    assert all(row.count('class="svc s') == 3 and "+2<" in row for row in rows)
    assert "Logs missing spanglass run python app.py web-0 web-1 web-2 +2" in text


def test_coverage_says_what_is_missing(open_tables):
    """What is there, and what is missing with the line that would send it; names are text wherever they stand."""
    host = {"metric_name": "system.cpu.time", "resource.host.name:str": f"{EVIL}/%", "resource.service.name:str": EVIL}
    session = open_tables(spans=[span(SERVER, EVIL, 10)], metrics=[gauge(590, 1.0, **host)])
    status, text, source = read(session, f"/coverage?{RANGE}", END_NS)
    assert status == 200
    assert (
        text.startswith("Coverage 2 services and hosts 4 of what is required") or "There 4 Stale 0 Missing 10" in text
    )
    assert "Users missing spanglass.set_user(42)" in text
    assert "<i>&" not in source
    assert "Nothing came in in this time range." in read(open_tables(), "/coverage", END_NS * 2)[1]
    assert read(session, "/coverage?start=then", END_NS)[0] == 400
