"""The pages of reports: a list with what is being made, and one with its sections, links and files."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import httpx
import pytest
from in_process import application, read
from reported import Reported

from spanglass_server.api.reports.routes import report_routes
from spanglass_server.api.reports.schedules import schedule_routes
from spanglass_server.reports.model import Scope
from spanglass_server.reports.schedules.model import Schedule

S = 10**9
NOW_NS = 1_700_000_000 * S
EVIL = '<img src=x onerror="window.pwned=1">'


def request(number, before_ns, *, failed):
    """Make a request of a service whose name is markup."""
    return {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "resource.service.name:str": EVIL,
        "name": "GET /",
        "kind": 2,
        "status_code": 2 if failed else 0,
        "start_time_ns": NOW_NS - before_ns + number * S,
        "duration_ns": 20_000_000,
    }


@pytest.fixture
def office(open_tables, tmp_path):
    """Return pages over some requests, and reports that are made of their API."""
    found = Reported(tmp_path / "reports.sqlite", lambda: NOW_NS)
    session = open_tables(spans=[request(number, 3600 * S, failed=number < 4) for number in range(1, 41)])
    routes = (*report_routes(found.desk, lambda: ""), *schedule_routes(found.scheduler))

    class Client:
        """Asks the API within the process, from the loop in which a report is made."""

        def get(self, path, params):
            """Ask."""

            async def ask():
                transport = httpx.ASGITransport(application(session, NOW_NS, routes))
                async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                    return await client.get(path, params=params)

            loop = asyncio.new_event_loop()
            try:
                return in_thread(loop.run_until_complete, ask())
            finally:
                loop.close()

    found.client = Client()
    found.page = lambda path: read(session, path, NOW_NS, routes)
    yield found
    found.close()


def in_thread(run, coroutine):
    """Run a coroutine in a loop of another thread: that of the caller runs."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, coroutine).result()


def test_a_report_from_waiting_to_its_files(office):
    """A report that waits says so; done, it has figures, charts, tables with links and a file in each form."""
    status, text, _ = office.page("/reports")
    assert (status, "No report was asked for yet." in text) == (200, True)
    entry = office.desk.ask(Scope("performance", "", NOW_NS - 7200 * S, NOW_NS), "ann")
    status, text, source = office.page(f"/reports/{entry.id}")
    assert (status, "This report waits for its turn." in text) == (200, True)
    assert 'data-state="waiting"' in source
    assert 'data-running="This report is being made."' in source  # what script says once it is not waiting
    office.work()
    status, text, source = office.page(f"/reports/{entry.id}")
    assert status == 200, text
    assert "Requests 40 Failed 3 Share that failed 7.5 % Duration, p50 20 ms" in text
    ids = re.findall(r' id="([^"]+)"', source)
    assert sorted(ids) == sorted(set(ids))  # icons have ids too, and a link to a section leads to it
    assert "<img" not in source
    assert f"<bdi>{EVIL}</bdi>" in unescape(source)
    (service,) = set(re.findall(r'href="(/services/[^"?]+)', source))
    assert service == "/services/%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E"
    forms = re.findall(r'href="/api/v1/reports/r1/file\?format=(\w+)" download', source)
    assert {"html", "markdown", "csv", "json"} <= set(forms)
    assert source.count('data-chart="') == 2
    status, text, source = office.page("/reports?kind=performance")
    assert (status, "Performance" in text, "ann" in text) == (200, True, True)
    assert "22:13:20 ann" in text  # two reports of one range are told apart
    assert 'href="/reports/r1"' in source


def test_schedules_stand_below(office):
    """A schedule says what is made when, for whom and when next; one that is off says so."""
    kept = office.scheduler.add(Schedule(kind="week", cron="0 8 * * mon", channels=("ops-mail",), service=EVIL))
    _, text, source = office.page("/reports")
    assert "The week of 7d" in text
    assert "0 8 * * mon UTC ops-mail" in text
    assert "<img" not in source
    office.scheduler.change(kept.id, {"enabled": False})
    assert "ops-mail off Off" in office.page("/reports")[1]


def test_reports_that_fail_and_that_are_not_there(office):
    """What could not be made says why; an id that is none leads to the list."""
    entry = office.desk.ask(Scope("cost", "", NOW_NS - 7200 * S, NOW_NS))
    office.work()
    _, text, _ = office.page(f"/reports/{entry.id}")
    assert "The report could not be made. What is stored could not be read" in text
    status, text, source = office.page("/reports/none")
    assert (status, 'href="/reports"' in source) == (404, True)
