"""What the start costs: a fresh interpreter that turns telemetry on, beside one that does nothing."""

from __future__ import annotations

import json
import statistics
import subprocess
from typing import TYPE_CHECKING, Any

from app_overhead.process import APP_CORE, pinned
from app_overhead.variants import ENVIRONMENTS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPORT = """
import json, os, sys, time
_cpu, _wall = time.process_time(), time.perf_counter()
{code}
_cpu, _wall = time.process_time() - _cpu, time.perf_counter() - _wall
_pages = int(open("/proc/self/statm").read().split()[1])
_server = [name for name in sys.modules if name.split(".")[0] in {{"spanglass_server", "duckdb", "pyarrow", "numpy"}}]
print(json.dumps({{"cpu_ms": _cpu * 1e3, "wall_ms": _wall * 1e3, "modules": len(sys.modules), "server": _server,
                   "rss_mib": _pages * os.sysconf("SC_PAGE_SIZE") / 2**20}}), flush=True)
os._exit(0)
"""
_CODE = {
    "bare": "pass",
    "opentelemetry": "from opentelemetry.instrumentation.auto_instrumentation import initialize; initialize()",
    "sentry": "import sentry_sdk; sentry_sdk.init(dsn=os.environ['SENTRY_DSN'], traces_sample_rate=1.0)",
    "spanglass.configure()": "import spanglass; spanglass.configure()",
}
#: What the application has imported before: nothing, and what a web application with a database has.
_LIBRARIES = {
    "nothing": "",
    "fastapi, sqlalchemy": "import fastapi, sqlalchemy, sqlite3, logging\n",
    "fastapi, sqlalchemy.orm": "import fastapi, sqlalchemy.orm, sqlalchemy.ext.asyncio, sqlite3, logging\n",
}


def start_costs(names: list[str], rounds: int, sink: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Give by imports and variant CPU and wall-clock milliseconds, MiB and modules; variants in turn.

    Times are the least of all rounds, for whatever else runs only adds to them; the others are medians.
    """
    variants = [name for name in names if name in _CODE]
    costs: dict[str, dict[str, dict[str, Any]]] = {}
    for libraries, imports in _LIBRARIES.items():
        runs: dict[str, list[Mapping[str, Any]]] = {name: [] for name in variants}
        for _ in range(rounds + 1):
            for name, made in runs.items():
                made.append(_start(name, imports, sink))
        costs[libraries] = {name: _summary(made[1:]) for name, made in runs.items()}  # the first one fills the caches
    return costs


def _start(name: str, imports: str, sink: int) -> Mapping[str, Any]:
    variant = VARIANTS[name]
    code = imports + _REPORT.format(code=_CODE[name])
    words = pinned(APP_CORE, [str(ENVIRONMENTS / variant.environment / "bin" / "python"), "-c", code])
    done = subprocess.run(words, env=variant.environ(sink), check=True, capture_output=True, text=True)
    measured: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _summary(runs: list[Mapping[str, Any]]) -> dict[str, Any]:
    times = {key: min(run[key] for run in runs) for key in ("cpu_ms", "wall_ms")}
    sizes = {key: statistics.median(run[key] for run in runs) for key in ("rss_mib", "modules")}
    return {**times, **sizes, "server": runs[-1]["server"]}
