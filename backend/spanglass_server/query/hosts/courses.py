"""How a host or a process went over a range: the lines of its charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from spanglass_server.query.hosts import names
from spanglass_server.query.hosts.listing import IN, MEMORY_USED, OUT
from spanglass_server.query.hosts.readings import course, is_host, is_process, points
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.query.hosts.readings import Row
    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.store.ports import QuerySession, Window

Values = list[float | None]


class HostLine(TypedDict):
    """A line of a chart (``cpu``, ``memory`` ...): a value a step, null where nothing is known."""

    chart: str
    name: str
    values: Values


class HostCourse(TypedDict):
    """The answer of ``GET /api/v1/hosts/{host}/series``, and of one process's."""

    start: float
    step_s: float
    lines: list[HostLine]


class _Line(NamedTuple):
    """Which values a line adds up; ``whole`` makes shares of all states but those left out, one line a part."""

    chart: str
    name: str
    metric: str
    states: tuple[str, ...] = ()
    is_share: bool = False
    by_part: bool = False


_HOST = (
    _Line("cpu", "user", "system.cpu.time", ("user", "nice"), is_share=True),
    _Line("cpu", "system", "system.cpu.time", ("system", "interrupt", "softirq", "kernel"), is_share=True),
    _Line("cpu", "waiting for disks", "system.cpu.time", ("iowait", "wait"), is_share=True),
    _Line("memory", "used", "system.memory.usage", MEMORY_USED, is_share=True),
    _Line("disk", "", "system.filesystem.usage", ("used",), is_share=True, by_part=True),
    _Line("network", "in", "system.network.io", IN),
    _Line("network", "out", "system.network.io", OUT),
    _Line("disk_io", "read", "system.disk.io", IN),
    _Line("disk_io", "written", "system.disk.io", OUT),
    *(_Line("load", f"{m} min", f"system.cpu.load_average.{m}m") for m in (1, 5, 15)),
)
#: Where a host sends shares and no time.
_CPU_SHARES = tuple(
    line._replace(metric="system.cpu.utilization") for line in _HOST if line.metric == "system.cpu.time"
)
_PROCESS = (
    _Line("cpu", "processors", "process.cpu.time"),
    _Line("memory", "resident", "process.memory.usage"),
    _Line("fds", "open", "process.unix.file_descriptor.count"),
    _Line("threads", "threads", "process.thread.count"),
    _Line("threads", "tasks", "spanglass.asyncio.task.count"),
    _Line("gc", "time in pauses", "spanglass.gc.pause.time"),
    _Line("disk_io", "read", "process.disk.io", IN),
    _Line("disk_io", "written", "process.disk.io", OUT),
)
#: Parts that one chart shows at most, the fullest.
MOST_PARTS = 5
_RESERVED = "reserved"


def host_course(session: QuerySession, window: Window, host: str, buckets: int) -> HostCourse:
    """Answer ``GET /api/v1/hosts/{host}/series``."""
    read = points(session, window, names.HOST_METRICS, is_host(host))
    return _course(session, Buckets.about(window, buckets), read, (*_HOST, *_CPU_SHARES))


def process_course(session: QuerySession, window: Window, host: str, pid: int, buckets: int) -> HostCourse:
    """Answer ``GET /api/v1/processes/series``."""
    read = points(session, window, names.PROCESS_METRICS, is_process(host, pid))
    return _course(session, Buckets.about(window, buckets), read, _PROCESS)


def _course(session: QuerySession, steps: Buckets, read: Sql, lines: Sequence[_Line]) -> HostCourse:
    senders = {row["metric"]: row["sender"] for row in rows(session, statement("hosts/senders", points=read))}
    found = [
        row for row in course(session, steps, read, set(senders.values())) if senders[row["metric"]] == row["sender"]
    ]
    drawn: list[HostLine] = []
    for line in lines:
        if line.metric == "system.cpu.utilization" and "system.cpu.time" in senders:
            continue
        drawn += _lines(line, [row for row in found if row["metric"] == line.metric], steps.count)
    return {"start": bucket_seconds(steps.first_ns), "step_s": steps.step_s, "lines": drawn}


def _lines(line: _Line, found: Sequence[Row], count: int) -> list[HostLine]:
    by_part: dict[str, list[Row]] = {}
    for row in found:
        by_part.setdefault(row["part"] if line.by_part else "", []).append(row)
    drawn: list[HostLine] = [
        {"chart": line.chart, "name": line.name or part, "values": _values(line, part_rows, count)}
        for part, part_rows in by_part.items()
    ]
    drawn = [each for each in drawn if any(value is not None for value in each["values"])]
    drawn.sort(key=lambda each: -max(value for value in each["values"] if value is not None))
    return drawn[:MOST_PARTS]


def _values(line: _Line, found: Sequence[Row], count: int) -> Values:
    wanted: dict[int, float] = {}
    whole: dict[int, float] = {}
    for row in found:
        if row["value"] is None or row["state"] == _RESERVED:
            continue
        step = row["step"]
        whole[step] = whole.get(step, 0.0) + row["value"]
        if not line.states or row["state"] in line.states:
            wanted[step] = wanted.get(step, 0.0) + row["value"]
    if line.is_share:
        wanted = {step: value / whole[step] for step, value in wanted.items() if whole[step] > 0}
    return _filled(wanted, count)


def _filled(by_step: Mapping[int, float], count: int) -> Values:
    return [by_step.get(step) for step in range(count)]
