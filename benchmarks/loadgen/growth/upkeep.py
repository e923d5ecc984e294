"""What a size costs beside questions: starting, memory, loading with compaction, and retention."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

from loadgen.process import cpu_seconds
from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from pathlib import Path

    from loadgen.growth.loading import Loading

#: The first passes of a load are among those of fewer segments; so many of the last say what one costs now.
_LAST_PASSES = 10
_PART_KEPT = 0.9
_WATCHED_S = 15
#: What is 30 days old stays to be asked for. Rules would see the load of 204 services as alerts, and never rest.
SETTINGS = {"retention.traces": "0", "alerting.shipped": "false"}
#: What never changes once it is written; the rest of a data directory is copied.
_WRITTEN_ONCE = (".parquet", ".values")


def costs_of_loading(loading: Loading) -> dict[str, Any]:
    """Processor seconds a million spans, compaction included, of the last passes, and bytes a span on disk."""
    last = loading.note["passes"][-_LAST_PASSES:]
    spans = sum(each["spans"] for each in loading.note["passes"])
    return {
        "load_cpu_s_per_M": sum(each["cpu_s"] for each in last) / sum(each["spans"] for each in last) * 1e6,
        "bytes_per_span": loading.note["bytes"] / spans,
    }


def cost_of_retention(data: Path) -> dict[str, Any]:
    """Processor milliseconds a million spans that retention deletes, of a copy: the oldest tenth of the bytes goes.

    By their age they would stay: everything arrived today.
    """
    copy = data.with_name(f"{data.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy, copy_function=link_or_copy)
    kept = int(sum(path.stat().st_size for path in copy.rglob("*.parquet")) * _PART_KEPT)
    try:
        idle_s, _ = _watched(copy, {})
        cpu_s, deleted = _watched(copy, {"retention.max_bytes": str(kept)})
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return {"retention_cpu_ms_per_M": max(cpu_s - idle_s, 0) * 1e9 / deleted if deleted else None}


def link_or_copy(source: str, target: str) -> None:
    """Copy a file of a data directory; one that never changes as a link."""
    if source.endswith(_WRITTEN_ONCE):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _watched(data: Path, settings: dict[str, str]) -> tuple[float, float]:
    """Processor seconds of the time from a start on in which retention looks a few times, and the spans it deleted."""
    with ServerProcess(data, SETTINGS | {"storage.compact_interval": "2s"} | settings) as server:
        cpu_s = cpu_seconds(server.pid)
        time.sleep(_WATCHED_S)
        return cpu_seconds(server.pid) - cpu_s, _deleted(server)


def _deleted(server: ServerProcess) -> float:
    """How many spans retention has deleted, by the server's own figures."""
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    wanted = [line for line in lines if line.startswith("spanglass_deleted_rows_total") and 'signal="spans"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)
