"""What a Linux control group (a container, or a systemd unit with MemoryMax=) allows and uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass.runtime_metrics.groups import Reading

LIMIT = Metric("spanglass.container.memory.limit", Kind.UP_DOWN_COUNTER, "By", "Memory that the container may use.")
USAGE = Metric("container.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Memory that the container uses.")
AVAILABLE = Metric("container.memory.available", Kind.UP_DOWN_COUNTER, "By", "Memory that the container has left.")

METRICS = (LIMIT, USAGE, AVAILABLE)

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")

#: Version 1 writes "no limit" as the greatest number of pages, 2^63 less a page; no machine has so much.
_NO_LIMIT_BYTES = 1 << 62

#: Files of the limit and of the use, with the controller's line in OWN: version 2, then version 1.
_VERSIONS = (("", "memory.max", "memory.current"), ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"))


def _directories(controller: str, root: Path, own: Path) -> Iterator[Path]:
    """Yield where the process's group may be: its path on a host, the top inside a container that sees only itself."""
    top = root / controller if controller else root
    try:
        lines = own.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            yield top / path.lstrip("/")
    yield top


def _number(path: Path) -> int | None:
    """Read a file of one number; None for "max", and where there is none to read."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def memory_limit_and_use_bytes(root: Path = ROOT, own: Path = OWN) -> tuple[int, int] | None:
    """Find the memory limit of the process's control group and what is used of it; None if there is no limit."""
    for controller, limit_file, use_file in _VERSIONS:
        for directory in _directories(controller, root, own):
            limit, use = _number(directory / limit_file), _number(directory / use_file)
            if limit is not None and limit < _NO_LIMIT_BYTES and use is not None:
                return limit, use
    return None


def memory_limit_bytes() -> int | None:
    """Find the memory limit of the process's control group."""
    found = memory_limit_and_use_bytes()
    return found[0] if found else None


def container_memory() -> Iterator[Reading]:
    """Read the container's memory; nothing where there is no limit."""
    found = memory_limit_and_use_bytes()
    if found:
        limit, use = found
        yield LIMIT, limit, {}
        yield USAGE, use, {}
        yield AVAILABLE, max(0, limit - use), {}
