"""Alert rules: what a thousand of them cost over ten million spans and ten thousand series, beside Prometheus.

    python benchmarks/alert_rules.py [--rules 1000] [--spans 10000000] [--series 10000] [--ticks 20] [--only evaluator]

The evaluator alone: storage and evaluator in this process, all rules at each tick of 30 s, with what came in since
then; ticks follow one another without waiting. Then, if ``prometheus`` is on PATH (Debian: apt install prometheus), its
evaluation of those of the rules that are about metrics, in real time over the same series, against ours of the same
rules. Processor time is of evaluation only: ingest is not in it, of neither. Results go to
benchmarks/out/alert_rules.json.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.process import clean_up_on_sigterm
from loadgen.report import check, table, write
from loadgen.rule_load import NS, Series, rules, write_spans
from loadgen.rules_beside import prometheus_cpu
from loadgen.traces import BASE_TIME_NS
from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.evaluation.evaluator import Defaults, RuleEvaluator
from spanglass_server.alerting.model import Failure
from spanglass_server.ingest.ports import Form
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.cache import SeriesCache
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.table import Data, Settings, Storage
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadgen.prepared import Bodies
    from loadgen.rule_load import MadeRule
    from spanglass_server.alerting.model import Readings
    from spanglass_server.store.ports import QuerySession

INTERVAL_S = 30
_HISTORY_S = 6 * 3600  # that the spans are spread over, less if that were fewer than these in an interval
_SPANS_PER_TICK_MIN = 2000
_STEPS = 25  # of series before the first tick: more than any rule looks back
_BODIES = 100  # of spans, prepared
_SPANS_PER_BODY = 500


@dataclass
class Load:
    """A storage node with its past, and what comes in at each tick."""

    node: StorageNode
    bodies: Bodies
    series: Series
    history_s: int
    spans_per_tick: int
    begin_ns: int
    turn: int = 0
    statements: list[int] = field(default_factory=list)

    def fill(self, spans: int) -> None:
        """Store the past: spans over hours, series over minutes."""
        turns = max(1, spans // (_BODIES * _SPANS_PER_BODY))
        for turn in range(turns):
            at_ns = self.begin_ns - self.history_s * NS + self.history_s * NS * turn // turns
            between_ns = self.history_s * NS // turns // _BODIES
            self._submit(Signal.SPANS, (self._spans(place, at_ns + place * between_ns) for place in range(_BODIES)))
            self.turn += 1
        for step in range(_STEPS):
            self._series(self.begin_ns - (_STEPS - 1 - step) * INTERVAL_S * NS)
        self._settle()

    def tick(self, at_ns: int) -> None:
        """Store what came in during the interval that ends then."""
        self._series(at_ns)
        bodies = max(1, self.spans_per_tick // _SPANS_PER_BODY)
        between_ns = INTERVAL_S * NS // bodies
        first_ns = at_ns - INTERVAL_S * NS
        self._submit(
            Signal.SPANS, (self._spans(n % _BODIES, first_ns + n * between_ns, n // _BODIES) for n in range(bodies))
        )
        self.turn += 1 + bodies // _BODIES
        self._settle()

    def _spans(self, place: int, at_ns: int, turn: int = 0) -> bytes:
        return self.bodies.body(place, at_ns - BASE_TIME_NS, self.turn + turn)

    def _series(self, at_ns: int) -> None:
        self.series.step()
        self._submit(Signal.METRICS, self.series.bodies(at_ns // 10**6), Form.REMOTE_WRITE_1)

    def _submit(self, signal: Signal, bodies: Iterable[bytes], form: Form = Form.OTLP) -> None:
        async def send() -> None:
            for body in bodies:
                await self.node.ingest.submit(signal, body, form=form)

        asyncio.run(send())

    def _settle(self) -> None:
        self.node._pending.settle()  # noqa: SLF001 - what came in is seen by this tick, as after the delay of a server


@contextmanager
def load_of(options: argparse.Namespace) -> Iterator[Load]:
    """Make the past in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    settings = Settings(data=Data(dir=folder / "data"), storage=Storage(min_free_disk_bytes=0))
    node = StorageNode(settings, Telemetry(), time.time_ns)
    try:
        begin_ns = time.time_ns() // (INTERVAL_S * NS) * INTERVAL_S * NS
        bodies = write_spans(folder, _BODIES)
        history_s = min(_HISTORY_S, options.spans * INTERVAL_S // _SPANS_PER_TICK_MIN)
        load = Load(
            *(node, bodies, Series(options.series)),
            *(history_s, options.spans * INTERVAL_S // history_s, begin_ns),
        )
        started = time.perf_counter()
        load.fill(options.spans)
        print(f"{options.spans:,} spans and {options.series:,} series in {time.perf_counter() - started:.0f} s")
        yield load
    finally:
        node.close()
        shutil.rmtree(folder, ignore_errors=True)


class Measured:
    """Ticks of an evaluator: what each took."""

    def __init__(self, load: Load, made: Sequence[MadeRule]) -> None:
        self._load = load
        cache = SeriesCache(512 << 20)
        self._evaluator = RuleEvaluator(
            lambda session: StoredSeries(session, cache),
            defaults=Defaults(interval_ns=INTERVAL_S * NS),
            baselines=Baselines(),
        )
        self.kinds = sorted({rule.kind for rule in made})
        self._rules = {
            kind: [Rule(uid=rule.name, name=rule.name, condition=rule.condition) for rule in made if rule.kind == kind]
            for kind in self.kinds
        }
        self.cpu_s: dict[str, list[float]] = {kind: [] for kind in [*self.kinds, "all"]}
        self.lag_s: list[float] = []
        self.statements: list[int] = []

    def tick(self, at_ns: int, *, by_kind: bool) -> None:
        """Evaluate all rules at a time: all at once, or a kind at a time to see what each costs."""
        begun_s, statements = time.perf_counter(), [0]
        groups = self._rules if by_kind else {"all": [rule for own in self._rules.values() for rule in own]}
        for kind, own in groups.items():
            used_s = time.process_time()
            readings = self._load.node.engine.run_here(
                lambda session, own=own: self._evaluate(session, own, at_ns, statements)
            )
            self.cpu_s[kind].append(time.process_time() - used_s)
            _check(readings)
        if not by_kind:
            self.lag_s.append(time.perf_counter() - begun_s)
            self.statements.append(statements[0])

    def _evaluate(self, session: QuerySession, own: Sequence[Rule], at_ns: int, statements: list[int]) -> Any:
        plain = session.execute

        def counted(*arguments: Any) -> Any:
            statements[0] += 1
            return plain(*arguments)

        session.execute = counted  # type: ignore[method-assign]
        return self._evaluator.evaluate(session, own, Steps(at_ns // 10**6, INTERVAL_S * 1000, 1))


def _check(readings: dict[str, Readings | Failure]) -> None:
    """A benchmark over rules that see nothing would be worth nothing."""
    wrong = {uid: found for uid, found in readings.items() if isinstance(found, Failure) or not found.keys}
    if len(wrong) > len(readings) // 20:
        raise SystemExit(f"{len(wrong)} of {len(readings)} rules see nothing, such as {next(iter(wrong.items()))}")


def evaluator_rows(load: Load, made: Sequence[MadeRule], ticks: int) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """What ticks cost: a row for each kind of rules and one for all; the first ticks fill caches."""
    measured = Measured(load, made)
    for tick in range(2 * ticks + 2):
        at_ns = load.begin_ns + (tick + 1) * INTERVAL_S * NS
        load.tick(at_ns)
        measured.tick(at_ns, by_kind=tick % 2 == 1)
    rows = []
    for kind, spent in measured.cpu_s.items():
        own = [rule for rule in made if kind in (rule.kind, "all")]
        cpu_s = float(np.mean(spent[1:]))
        rows.append(
            {
                "rules": kind,
                "number": len(own),
                "cpu_ms_per_tick": 1000 * cpu_s,
                "share_of_core_%": 100 * cpu_s / INTERVAL_S,
                "ms_per_rule": 1000 * cpu_s / len(own),
            }
        )
    figures = {
        "lag_p50_s": float(np.percentile(measured.lag_s[1:], 50)),
        "lag_p99_s": float(np.percentile(measured.lag_s[1:], 99)),
        "statements_per_tick": float(np.mean(measured.statements[1:])),
        "first_tick_s": measured.lag_s[0],
    }
    return rows, figures


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure the evaluation of alert rules, beside Prometheus.")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--only", choices=("evaluator", "prometheus", ""), default="")
    options = parser.parse_args()
    clean_up_on_sigterm()
    made = rules(options.rules)
    results: dict[str, Any] = {}
    if options.only != "prometheus":
        with load_of(options) as load:
            rows, figures = evaluator_rows(load, made, options.ticks)
        print(table(rows))
        print(table([figures]))
        results |= {"evaluator": rows, "figures": figures}
    if options.only != "evaluator" and shutil.which("prometheus"):
        theirs = prometheus_cpu(made, options.series, options.ticks, INTERVAL_S)
        print(table([theirs]))
        results["prometheus"] = theirs
    if "evaluator" in results:
        share = next(row["share_of_core_%"] for row in results["evaluator"] if row["rules"] == "all")
        aims = [check("share of a core, %", share, 50), check("lag at p99, s", results["figures"]["lag_p99_s"], 5)]
        if "prometheus" in results:
            ours = sum(
                row["cpu_ms_per_tick"] / 1000 for row in results["evaluator"] if row["rules"] in ("metric", "promql")
            )
            aims.append(check("processor time beside Prometheus", ours / results["prometheus"]["cpu_s_per_tick"], 2))
        print(table(aims))
        results["aims"] = aims
    print(f"written to {write('alert_rules', results)}")


if __name__ == "__main__":
    sys.exit(main())
