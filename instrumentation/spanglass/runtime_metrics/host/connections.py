"""Network connections of the host, by protocol and state.

On Linux they are counted in /proc/net: psutil would look through every process for the owners, which takes 50 ms and
more where many run. Elsewhere psutil asks the system, which macOS allows only to root.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass.runtime_metrics.groups import Reading

COUNT = Metric("system.network.connection.count", Kind.UP_DOWN_COUNTER, "{connection}", "Network connections.")

METRICS = (COUNT,)

PROC_NET = Path("/proc/net")

#: Codes of /proc/net/tcp (the kernel's include/net/tcp_states.h) as OTel names the states.
_STATES = {
    "01": "established", "02": "syn_sent", "03": "syn_received", "04": "fin_wait_1", "05": "fin_wait_2",
    "06": "time_wait", "07": "closed", "08": "close_wait", "09": "last_ack", "0A": "listen", "0B": "closing",
    "0C": "syn_received",
}  # fmt: skip

#: psutil's names where they differ from OTel's in more than their case.
_PSUTIL_STATES = {"syn_recv": "syn_received", "fin_wait1": "fin_wait_1", "fin_wait2": "fin_wait_2", "close": "closed"}

#: Beyond it only their number is read: 20,000 lines are 3 MB and about 20 ms.
MOST_COUNTED = 20_000


def connections(proc_net: Path = PROC_NET) -> Iterator[Reading]:
    """Count connections; where there are very many, without their states."""
    if not psutil.LINUX:
        counted = _by_psutil()
    elif (total := _sockets(proc_net)) > MOST_COUNTED:
        counted = Counter({("tcp", ""): total})
    else:
        counted = _by_proc(proc_net)
    for (transport, state), count in counted.items():
        attributes = {"network.transport": transport}
        yield COUNT, count, {**attributes, "network.connection.state": state} if state else attributes


def _sockets(proc_net: Path) -> int:
    """How many TCP sockets there are, with those that wait to be forgotten, by /proc/net/sockstat."""
    for line in _lines(proc_net / "sockstat"):
        name, *fields = line.split()
        if name == "TCP:":
            counts = dict(zip(fields[::2], map(int, fields[1::2]), strict=False))
            return counts.get("inuse", 0) + counts.get("tw", 0)
    return 0


def _by_proc(proc_net: Path) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for file in ("tcp", "tcp6"):
        for line in _lines(proc_net / file)[1:]:
            counted["tcp", _STATES.get(line.split(None, 4)[3], "")] += 1
    counted["udp", ""] = sum(max(0, len(_lines(proc_net / file)) - 1) for file in ("udp", "udp6"))
    return counted


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:  # a kernel without IPv6
        return []


def _by_psutil() -> Counter[tuple[str, str]]:
    return Counter(_named(each.type.name, each.status) for each in psutil.net_connections("inet"))


def _named(kind: str, status: str) -> tuple[str, str]:
    state = status.lower()
    return ("udp", "") if kind == "SOCK_DGRAM" else ("tcp", _PSUTIL_STATES.get(state, state))
