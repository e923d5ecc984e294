"""The scenarios by name, each as rows of figures: what `run.py` prints of one build and `compare.py` of two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from loadgen.felt.by_state import measure_by_state
from loadgen.felt.demo_load import DemoLoad, measure_demo
from loadgen.felt.small_requests import LOADS, measure_small
from loadgen.scenario import Scenario, measure
from loadgen.server import SPANGLASS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadgen.prepared import Bodies

#: Rows by name, each with its figures by name.
Figures = dict[str, dict[str, Any]]
_INGEST_FIGURES = ("per_s", "cpu_s_per_M", "sending_cpu_s_per_M", "p99_ms", "idle_MB", "peak_MB", "bytes_per_record")
_QUICK_BODIES = 40
_NEWEST_STATES = ("fresh", "settled", "ingesting")


@dataclass(frozen=True)
class Run:
    """What a scenario needs: the prepared bodies of a kind, the console script of the build, how long, how much."""

    bodies: Callable[[str], Bodies]
    program: str = SPANGLASS
    minutes: float = 60.0
    quick: bool = False


def ingest(kind: str, name: str, run: Run) -> Figures:
    """A million records as fast as they are taken, settled."""
    scenario = Scenario(name, kind=kind)
    if run.quick:
        scenario = replace(scenario, bodies=_QUICK_BODIES, settled=False)
    row = measure(scenario, run.bodies(kind), run.program)
    return {name: {figure: row[figure] for figure in _INGEST_FIGURES if row[figure] is not None}}


def small_requests(run: Run) -> Figures:
    """Requests of ten spans: 10 a second, and 2,000 a second over 64 connections."""
    loads = [load.quick() if run.quick else load for load in LOADS]
    return {load.name: measure_small(load, run.bodies("traces"), run.program) for load in loads}


def demo_load(run: Run) -> Figures:
    """The server idle, and under the demo shop's load with no page open."""
    load = DemoLoad.lasting(run.minutes * 60)
    return {"demo": measure_demo(load.quick() if run.quick else load, run.program)}


def fresh(run: Run) -> Figures:
    """Questions five seconds after a million spans came in."""
    return _by_state(run, ("fresh",))


def queries(run: Run) -> Figures:
    """The same questions fresh, settled, and while 30,000 spans a second come in."""
    return _by_state(run, ("fresh",) if run.quick else _NEWEST_STATES)


def _by_state(run: Run, states: tuple[str, ...]) -> Figures:
    count = _QUICK_BODIES if run.quick else 0
    rows = measure_by_state(run.bodies("traces"), states, run.program, count=count)
    return {f"{row['data']}: {row['query']}": _figures_of_question(row) for row in rows}


def _figures_of_question(row: dict[str, Any]) -> dict[str, Any]:
    made = {name: row[name] for name in ("p50_ms", "p95_ms", "cpu_ms") if row[name] is not None}
    return made | {"limit_ms": row["limit_ms"], "answers": row["answers"]}


SCENARIOS: dict[str, Callable[[Run], Figures]] = {
    "spans": lambda run: ingest("traces", "spans", run),
    "logs": lambda run: ingest("logs", "logs", run),
    "metrics": lambda run: ingest("metrics", "metrics", run),
    "small-requests": small_requests,
    "fresh": fresh,
    "queries": queries,
    "demo-load": demo_load,
}
