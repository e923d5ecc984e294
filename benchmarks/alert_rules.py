"""Alert rules: what a thousand of them cost over ten million spans and ten thousand series, beside Prometheus.

    python benchmarks/alert_rules.py [--rules 1000] [--spans 10000000] [--series 10000] [--ticks 20] [--only evaluator]

First the evaluator alone: storage and evaluator in this process, all rules at each tick of 30 s, with what came in
since then; ticks follow one another without waiting. Then a whole server in real time, without the rules and with them.
Then, if ``prometheus`` is on PATH (Debian: apt install prometheus), its evaluation of those of the rules that are about
metrics, in real time over the same series, against ours of the same rules. Processor time is of evaluation only: what
the same takes without rules is left out. Results go to benchmarks/out/alert_rules.json.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.process import clean_up_on_sigterm
from loadgen.report import check, table, write
from loadgen.rule_load import NS, Load, rules
from loadgen.rules_beside import prometheus_cpu
from loadgen.rules_server import server_figures
from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.evaluation.evaluator import Defaults, RuleEvaluator
from spanglass_server.alerting.model import Failure
from spanglass_server.ingest.ports import Form
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.table import Data, Settings, Storage
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadgen.rule_load import MadeRule
    from spanglass_server.alerting.model import Readings
    from spanglass_server.store.ports import QuerySession

INTERVAL_S = 30


class Stored:
    """Storage in this process, and what comes in."""

    def __init__(self, folder: Path, load: Load) -> None:
        settings = Settings(data=Data(dir=folder / "data"), storage=Storage(min_free_disk_bytes=0))
        self.node = StorageNode(settings, Telemetry(), time.time_ns)
        self.begin_ns = time.time_ns() // (INTERVAL_S * NS) * INTERVAL_S * NS
        self._load = load

    def fill(self) -> None:
        """Store the past."""
        self._store(self._load.past(self.begin_ns))

    def tick(self, at_ns: int) -> None:
        """Store what came in during the interval that ends then."""
        self._store(self._load.arriving(at_ns))

    def _store(self, bodies: Iterable[tuple[str, bytes]]) -> None:
        async def send() -> None:
            for kind, body in bodies:
                signal, form = _FORMS[kind]
                await self.node.ingest.submit(signal, body, form=form)

        asyncio.run(send())
        self.node._pending.settle()  # noqa: SLF001 - what came in is seen by this tick, as after the delay of a server


_FORMS = {"traces": (Signal.SPANS, Form.OTLP), "series": (Signal.METRICS, Form.REMOTE_WRITE_1)}


@contextmanager
def prepared(options: argparse.Namespace) -> Iterator[tuple[Path, Load]]:
    """Prepare what is sent, in a folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    try:
        yield folder, Load(folder, options.spans, options.series, INTERVAL_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Measured:
    """Ticks of an evaluator: what each took."""

    def __init__(self, stored: Stored, made: Sequence[MadeRule]) -> None:
        self._stored = stored
        cache = PartCache(512 << 20)
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
            readings = self._stored.node.engine.run_here(
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


def evaluator_rows(
    stored: Stored, made: Sequence[MadeRule], ticks: int
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """What ticks cost: a row for each kind of rules and one for all; the first ticks fill caches."""
    measured = Measured(stored, made)
    for tick in range(2 * ticks + 2):
        at_ns = stored.begin_ns + (tick + 1) * INTERVAL_S * NS
        stored.tick(at_ns)
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
        "cpu_p99_s": float(np.percentile(measured.cpu_s["all"][1:], 99)),
        "first_tick_cpu_s": measured.cpu_s["all"][0],
        "lag_p50_s": float(np.percentile(measured.lag_s[1:], 50)),
        "lag_p99_s": float(np.percentile(measured.lag_s[1:], 99)),
        "statements_per_tick": float(np.mean(measured.statements[1:])),
        "first_tick_s": measured.lag_s[0],
    }
    return rows, figures


def _evaluator(folder: Path, load: Load, made: Sequence[MadeRule], options: argparse.Namespace) -> Any:
    stored = Stored(folder, load)
    try:
        started = time.perf_counter()
        stored.fill()
        print(f"{options.spans:,} spans and {options.series:,} series in {time.perf_counter() - started:.0f} s")
        rows, figures = evaluator_rows(stored, made, options.ticks)
    finally:
        stored.node.close()
    print(table(rows))
    print(table([figures]))
    return rows, figures


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure the evaluation of alert rules, beside Prometheus.")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--only", choices=("evaluator", "server", "prometheus", ""), default="")
    options = parser.parse_args()
    clean_up_on_sigterm()
    made = rules(options.rules)
    results: dict[str, Any] = {}
    with prepared(options) as (folder, load):
        if options.only in ("", "evaluator"):
            rows, figures = _evaluator(folder, load, made, options)
            results |= {"evaluator": rows, "figures": figures}
        if options.only in ("", "server"):
            results["server"] = server_figures(made, load, options.ticks, INTERVAL_S)
            print(table([results["server"]]))
    if options.only in ("", "prometheus") and shutil.which("prometheus"):
        results["prometheus"] = prometheus_cpu(made, options.series, options.ticks, INTERVAL_S)
        print(table([results["prometheus"]]))
    if "evaluator" in results:
        share = next(row["share_of_core_%"] for row in results["evaluator"] if row["rules"] == "all")
        aims = [check("share of a core, %", share, 50), check("lag at p99, s", results["figures"]["lag_p99_s"], 5)]
        if "prometheus" in results:
            ours = sum(
                row["cpu_ms_per_tick"] / 1000 for row in results["evaluator"] if row["rules"] in ("metric", "promql")
            )
            aims.append(check("processor time beside Prometheus", ours / results["prometheus"]["cpu_s_per_tick"], 2))
        if "server" in results:
            aims.append(check("share of a core of a server's rules, %", results["server"]["rules_%"], 50))
            aims.append(check("lag of a server at p99, s", results["server"]["lag_p99_s"], 5))
        print(table(aims))
        results["aims"] = aims
    print(f"written to {write('alert_rules', results)}")


if __name__ == "__main__":
    sys.exit(main())
