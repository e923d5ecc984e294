"""What senders call the memory of a process."""

from __future__ import annotations

from typing import Final

#: What tells processes apart, and what is told of them.
KEYS: Final = ("service_name", "instance", "host_name", "process_pid", "service_version")
_SAME: Final = "service_name, instance"
#: The first of these that a process sends: resident, or of a runtime after garbage was collected. What stands beside
#: a name narrows it; pools and states of one process are added up.
_SOURCES: Final = (
    ("process.memory.usage", "", False),
    ("process.runtime.cpython.memory", 'type="rss"', False),
    ("process_resident_memory_bytes", "", False),
    ("jvm.memory.used_after_last_gc", "", True),
    ("go.memory.used", "", True),
    ("v8js.memory.heap.used", "", True),
)


def promql(service: str | None = None) -> str:
    """The memory of all processes in bytes, or of those of one service: a series for each."""
    own = "" if service is None else f"service_name={_quoted(service)}"
    keys = ", ".join(KEYS)
    texts = []
    for name, narrowed, is_summed in _SOURCES:
        selector = "{" + ", ".join(filter(None, (f'"{name}"', narrowed, own))) + "}"
        texts.append(f"sum by ({keys}) ({selector})" if is_summed else selector)
    return f"max by ({keys}) ({f' or on({_SAME}) '.join(texts)})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
