"""What is wrong with hosts now, the worst first, as sentences: full disks and memory, busy processors, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: From which share used something needs attention, and from which it is an error.
DISK_WARN, DISK_ERR = 0.9, 0.97
MEMORY_WARN, MEMORY_ERR = 0.92, 0.98
CPU_WARN = 0.95
#: A host that sent nothing for so long is silent: our instrumentation sends every 15 s, the Collector every minute.
SILENT_NS = 300 * 1_000_000_000


class Trouble(NamedTuple):
    """What is wrong with a host: ``err`` or ``warn``, what in a few words, and the rest of the sentence."""

    level: str
    host: str
    what: str
    rest: str


def troubles(hosts: Iterable[Mapping[str, Any]], visit: Visit) -> Sequence[Trouble]:
    """Return what is wrong with hosts at the end of the page's range."""
    found = [trouble for host in hosts for trouble in _of(host, visit)]
    return sorted(found, key=lambda trouble: (trouble.level != "err", trouble.host))


def is_silent(host: Mapping[str, Any], visit: Visit) -> bool:
    """Whether a host has stopped sending."""
    return bool(min(visit.window.end_ns, visit.clock.now_ns) - parse_time_ns(host["last_time"]) > SILENT_NS)


def _of(host: Mapping[str, Any], visit: Visit) -> list[Trouble]:
    name = host["host"]
    if is_silent(host, visit):
        since = visit.clock.minute(parse_time_ns(host["last_time"]))
        return [Trouble("warn", name, f"nothing since {since}", "the host, or who sends its metrics, may be down")]
    found = [
        Trouble(_level(disk["ratio"], DISK_ERR), name, f"disk {disk['mount']} is {_percent(disk['ratio'])} full", "")
        for disk in host["disks"]
        if disk["ratio"] >= DISK_WARN
    ]
    memory = host["memory"]
    if memory and memory["ratio"] >= MEMORY_WARN:
        found.append(
            Trouble(_level(memory["ratio"], MEMORY_ERR), name, f"memory is {_percent(memory['ratio'])} used", "")
        )
    if host["cpu"] is not None and host["cpu"] >= CPU_WARN:
        found.append(Trouble("warn", name, f"processors are {_percent(host['cpu'])} busy", ""))
    return found


def _level(ratio: float, err: float) -> str:
    return "err" if ratio >= err else "warn"


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.0f}\u202f%"
