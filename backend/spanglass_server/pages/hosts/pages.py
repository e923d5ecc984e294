"""The pages of hosts, of one host, of processes, and of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.alerts import firing
from spanglass_server.pages.hosts import drawing, wrong
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.trends import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
#: What stands in an address for a host without a name.
NAMELESS = "-"
HOST_SORTS: Mapping[str, Callable[[Row], Any]] = {
    "host": lambda row: row["host"].lower(),
    "cpu": lambda row: row["cpu"] or 0,
    "memory": lambda row: (row["memory"] or {"ratio": 0})["ratio"],
    "disk": lambda row: (row["disks"] or [{"ratio": 0}])[0]["ratio"],
    "last": lambda row: row["last_ns"],
}
PROCESS_SORTS: Mapping[str, Callable[[Row], Any]] = {
    "process": lambda row: (row["service"].lower(), row["pid"]),
    "cpu": lambda row: row["cpu"] or 0,
    "memory": lambda row: row["memory"] or 0,
    "fds": lambda row: row["fds"] or 0,
    "threads": lambda row: row["threads"] or 0,
    "last": lambda row: row["last_ns"],
}
MOST_ROWS = 500
NO_LINES: dict[str, Any] = {"lines": [], "start": 0, "step_s": 1}


async def show_hosts(visit: Visit) -> Response:
    """``/hosts``."""
    hosts = await read_hosts(visit)
    rows, sort, ascending = sorted_rows(visit, hosts, HOST_SORTS, "host")
    return visit.page(
        "hosts/list.html", hosts=rows[:MOST_ROWS], found=len(rows), sort=sort, ascending=ascending,
        troubles=wrong.troubles(hosts, visit), silent=sum(host["silent"] for host in hosts),
    )  # fmt: skip


async def read_hosts(visit: Visit) -> list[Row]:
    """Return the hosts of the page's range, each with its age and whether it has fallen silent."""
    answer = await visit.api("hosts", **visit.window.as_params())
    return [with_host(row, visit) for row in answer["hosts"]]


def with_host(row: Mapping[str, Any], visit: Visit) -> Row:
    """Return a host with what its row shows."""
    return {**aged(row, visit), "silent": wrong.is_silent(row, visit), "href": to_host(visit, row["host"])}


def aged(row: Mapping[str, Any], visit: Visit) -> Row:
    """Return a host or process with its age."""
    last_ns = parse_time_ns(row["last_time"])
    return {**row, "last_ns": last_ns, "age_ns": max(0, visit.clock.now_ns - last_ns)}


def sorted_rows(
    visit: Visit, rows: list[Row], sorts: Mapping[str, Callable[[Row], Any]], default: str
) -> tuple[list[Row], str, bool]:
    """Sort as the URL asks: names from a to z, figures largest first."""
    sort = visit.param("sort") if visit.param("sort") in sorts else default
    ascending = visit.param("order") == "asc" if visit.param("order") else sort in {"host", "process"}
    return sorted(rows, key=sorts[sort], reverse=not ascending), sort, ascending


def to_host(visit: Visit, host: str) -> str:
    """Return a link to a host's page."""
    return visit.go(f"/hosts/{quote(host, safe='') or NAMELESS}")


def to_process(visit: Visit, host: str, pid: int) -> str:
    """Return a link to a process's page."""
    return visit.go(f"/processes/{quote(host, safe='') or NAMELESS}/{pid}")


def _host_of(visit: Visit) -> str:
    host = str(visit.request.path_params["host"])
    return "" if host == NAMELESS else host


async def show_host(visit: Visit) -> Response:
    """``/hosts/{host}``."""
    name, window = _host_of(visit), visit.window.as_params()
    hosts, course, processes, alerts, trends = await visit.together(
        read_hosts(visit),
        visit.attempt(visit.api("hosts", name or NAMELESS, "series", **window), NO_LINES),
        visit.attempt(visit.api("processes", **window, host=name), {"processes": []}),
        firing.read(visit, host=name),
        marks.read(visit, host=name),
    )
    host = next((row for row in hosts if row["host"] == name), None)
    if host is None:
        return visit.page("hosts/none.html", status=404, title=name, what="host")
    rows, sort, ascending = sorted_rows(
        visit, [_with_process(row, visit) for row in processes["processes"]], PROCESS_SORTS, "cpu"
    )
    return visit.page(
        "hosts/host.html", firing=alerts, host=host,
        charts=drawing.draw(course, drawing.HOST, visit, trends), problem=course["problem"],
        troubles=wrong.troubles([host], visit), processes=rows[:MOST_ROWS], sort=sort, ascending=ascending,
        processes_problem=processes["problem"],
    )  # fmt: skip


def _with_process(row: Mapping[str, Any], visit: Visit) -> Row:
    return {
        **aged(row, visit),
        "href": to_process(visit, row["host"], row["pid"]),
        "silent": wrong.is_silent(row, visit),
    }


async def show_processes(visit: Visit) -> Response:
    """``/processes``."""
    answer = await visit.api("processes", **visit.window.as_params(), service=visit.exact("service"))
    found = [_with_process(row, visit) for row in answer["processes"]]
    rows, sort, ascending = sorted_rows(visit, found, PROCESS_SORTS, "cpu")
    return visit.page(
        "hosts/processes.html", processes=rows[:MOST_ROWS], found=len(rows), sort=sort, ascending=ascending
    )


async def show_process(visit: Visit) -> Response:
    """``/processes/{host}/{pid}``."""
    host, pid, window = _host_of(visit), visit.request.path_params["pid"], visit.window.as_params()
    answer, course = await visit.together(
        visit.api("processes", **window, host=host),
        visit.attempt(visit.api("processes", "series", **window, host=host, pid=pid), NO_LINES),
    )
    process = next((row for row in answer["processes"] if row["pid"] == pid and row["host"] == host), None)
    if process is None:
        return visit.page("hosts/none.html", status=404, title=f"{host} {pid}", what="process")
    return visit.page(
        "hosts/process.html", process=_with_process(process, visit), problem=course["problem"],
        charts=drawing.draw(course, drawing.PROCESS, visit), host_href=to_host(visit, host),
    )  # fmt: skip
