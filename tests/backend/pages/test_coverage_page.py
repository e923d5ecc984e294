"""The page of coverage over stored records: what is there and missing, and hostile names."""

from __future__ import annotations

from in_process import read
from metric_tables import SECOND, T0, gauge
from task_records import span

EVIL = 'a/b?"<i>&'
SERVER = 2
RANGE, END_NS = f"start={T0}&end={T0 + 600}", (T0 + 600) * SECOND


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
