"""What of the host is in use: processors, memory, disks, network; read by psutil, which waits for nothing here."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from spanglass.api.analysis.figures import Figures
from spanglass.clock import NS_PER_S, SYSTEM
from spanglass.errors import ResourceError
from spanglass.process.forking import in_child_while_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.clock import Clock

#: Kinds of resources, in the order in which they are told of.
KINDS = ("cpu", "memory", "disk", "network")
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("cpu_usage", "memory_usage", "swap_usage", "disk_usage"), "ratio"),
    **dict.fromkeys(("memory_available", "disk_free"), "bytes"),
    **dict.fromkeys(("disk_io", "network_io"), "bytes/s"),
    "network_errors": "/s",
}

#: How long the very first reading looks at the processors; later ones look back to the one before.
_FIRST_LOOK_S = 0.1
_IDLE = ("idle", "iowait")


class HostUsage:
    """Reads figures of the host, under the names that rules and measures have. Any thread may read; it blocks briefly.

    Rates (``disk_io``, ``network_io``, ``network_errors``) and ``cpu_usage`` are since the reading before.
    """

    def __init__(
        self, clock: Clock = SYSTEM, *, psutil: Any = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._given = psutil
        self._wait = wait
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Have a lock of one's own, and no reading before."""
        self._lock = threading.Lock()
        self._before: dict[str, tuple[int, dict[str, float]]] = {}
        self._cpu_before: tuple[float, float] | None = None

    def read(self, kinds: tuple[str, ...] = KINDS) -> Figures:
        """The figures of some kinds; what a platform does not tell is left out.

        Raises ``ResourceError`` for a kind that there is not, and if nothing at all can be read.
        """
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise ResourceError(f"{unknown[0]!r} is no resource: there are {', '.join(KINDS)}")
        numbers: dict[str, float] = {}
        problems: list[Exception] = []
        with self._lock:
            for kind in kinds:
                try:
                    numbers |= getattr(self, f"_{kind}")(self._psutil())
                except Exception as error:  # noqa: BLE001 - psutil raises what the platform does
                    problems.append(error)
        if not numbers and problems:
            raise ResourceError(f"{', '.join(kinds)} can't be measured here: {problems[0]}") from problems[0]
        return Figures(numbers, {name: UNITS[name] for name in numbers if name in UNITS}, {}, self._clock.unix_ns())

    def largest_processes(self, most: int = 3) -> list[dict[str, Any]]:
        """The processes that hold most memory: name, id, and resident bytes. It reads all of them, for some 50 ms."""
        psutil = self._psutil()
        found = []
        for process in psutil.process_iter(["name", "memory_info"]):
            memory = process.info["memory_info"]
            if memory is not None:
                found.append({"name": process.info["name"], "pid": process.pid, "memory_bytes": memory.rss})
        return sorted(found, key=lambda each: -each["memory_bytes"])[:most]

    def _psutil(self) -> Any:
        if self._given is not None:
            return self._given
        import psutil  # noqa: PLC0415 - imported when something is measured

        return psutil

    def _cpu(self, psutil: Any) -> dict[str, float]:
        before = self._cpu_before or self._first_look(psutil)
        self._cpu_before = now = _busy(psutil.cpu_times())
        passed_s = now[1] - before[1]
        numbers = {"cpu_count": float(psutil.cpu_count() or 1)}
        if passed_s > 0:
            numbers["cpu_usage"] = min(max((now[0] - before[0]) / passed_s, 0.0), 1.0)
        with contextlib.suppress(AttributeError, OSError):  # not on every platform
            numbers["load"] = psutil.getloadavg()[0]
        return numbers

    def _first_look(self, psutil: Any) -> tuple[float, float]:
        first = _busy(psutil.cpu_times())
        self._wait(_FIRST_LOOK_S)
        return first

    def _memory(self, psutil: Any) -> dict[str, float]:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        numbers = {"memory_usage": memory.percent / 100, "memory_available": float(memory.available)}
        return numbers | ({"swap_usage": swap.used / swap.total} if swap.total else {})

    def _disk(self, psutil: Any) -> dict[str, float]:
        from spanglass.runtime_metrics.host.storage import mounted  # noqa: PLC0415 - imports psutil

        usages = []
        parts = [(part.device, part.mountpoint, part.fstype, part.opts) for part in psutil.disk_partitions(all=False)]
        for _, mountpoint, _, _ in mounted(parts):
            with contextlib.suppress(OSError):  # no permission, or unmounted a moment ago
                usages.append(psutil.disk_usage(mountpoint))
        counts = psutil.disk_io_counters()
        rates = {} if counts is None else {"disk_io": float(counts.read_bytes + counts.write_bytes)}
        fullest = max(usages, key=lambda each: each.percent, default=None)
        full = {} if fullest is None else {"disk_usage": fullest.percent / 100, "disk_free": float(fullest.free)}
        return full | self._rates("disk", rates)

    def _network(self, psutil: Any) -> dict[str, float]:
        counts = psutil.net_io_counters()
        if counts is None:
            return {}
        totals = {
            "network_io": float(counts.bytes_sent + counts.bytes_recv),
            "network_errors": float(counts.errin + counts.errout),
        }
        return self._rates("network", totals)

    def _rates(self, kind: str, totals: dict[str, float]) -> dict[str, float]:
        """How much of each a second since the reading before; nothing at the first one."""
        now_ns = self._clock.monotonic_ns()
        then_ns, before = self._before.get(kind, (now_ns, {}))
        self._before[kind] = now_ns, totals
        passed_s = (now_ns - then_ns) / NS_PER_S
        if passed_s <= 0:
            return {}
        return {name: max(total - before[name], 0.0) / passed_s for name, total in totals.items() if name in before}


def _busy(times: Any) -> tuple[float, float]:
    """Seconds in which processors worked, and all seconds; a guest's time is in its user's already."""
    fields = {name: value for name, value in times._asdict().items() if not name.startswith("guest")}
    total = sum(fields.values())
    return total - sum(fields.get(name, 0.0) for name in _IDLE), total
