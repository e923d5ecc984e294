"""The ingest benchmarks: what the server takes in, what it costs, and whether the targets are met.

    python benchmarks/run.py [--only NAME ...] [--minutes 60] [--quick] [--list]

Each scenario has a server and a data directory of its own on loopback, sends prepared bodies (`generate.py`), waits
until everything is visible and compacted, and prints a row. `docs/benchmarks.md` explains the columns. All scenarios
take about 25 minutes. --quick sends a tenth and does not wait for compaction, so it gives no CPU or disk figures.
Results go to benchmarks/out/ingest.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

from loadgen.calibrate import parse_cpu_s_per_million
from loadgen.felt import figures
from loadgen.prepared import Bodies
from loadgen.process import clean_up_on_sigterm
from loadgen.report import check, table, write
from loadgen.scenario import Scenario, measure
from loadgen.visibility import probe

HALF_RATE = 60  # bodies of 500 spans: 30,000 spans/s, half of what is asked for sustained

SCENARIOS = [
    Scenario("spans"),
    Scenario("logs", kind="logs"),
    Scenario("metrics", kind="metrics"),
    Scenario("spans-10M", turns=10, window_s=86_400),
    Scenario("half-rate", turns=2, rate_per_s=HALF_RATE, settled=False),
    Scenario("quiet-client", bodies=200, connections=1, rate_per_s=5, settled=False),
    # Many connections, as many small clients are: with 8, one answer in 4 ms would be the most that could be asked for.
    Scenario("small-bodies", bodies=1200, connections=64, rate_per_s=2000, settled=False, split_spans=10),
    Scenario("http-4", bodies=800),
    Scenario("grpc", protocol="grpc", bodies=800),
    Scenario("json", protocol="json", bodies=200),
]

#: Where people feel it: each gives rows of its own.
FELT = ("small-requests", "fresh", "demo-load")


def targets(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare rows with what the project promises; a scenario that did not run is left out."""
    made = []
    for scenario, column, limit, at_least in (
        ("spans", "cpu_s_per_M", 15, False),
        ("logs", "cpu_s_per_M", 12, False),
        ("metrics", "cpu_s_per_M", 15, False),
        ("spans-10M", "per_s", 60_000, True),
        ("spans-10M", "cpu_s_per_M", 15, False),
        ("spans-10M", "peak_MB", 700, False),
        ("spans-10M", "idle_MB", 180, False),
        ("spans-10M", "bytes_per_record", 48, False),
        # A rate counts as kept from 99 % of it: the last answers come after the last request was due.
        ("half-rate", "per_s", 0.99 * 500 * HALF_RATE, True),
        ("half-rate", "p99_ms", 150, False),
        ("quiet-client", "p99_ms", 20, False),
        ("small-bodies", "per_s", 0.99 * 10 * 2000, True),
        ("small-bodies", "failed", 0, False),
    ):
        if rows.get(scenario, {}).get(column) is not None:
            made.append(check(f"{scenario} {column}", rows[scenario][column], limit, at_least=at_least))
    whole = {name for name, row in rows.items() if row["cpu_s_per_M"] is not None}
    if "json" in whole:
        per_core = 1e6 / rows["json"]["cpu_s_per_M"]
        made.append(check("json spans/s a core", per_core, 20_000, at_least=True))
    if {"grpc", "http-4"} <= whole:
        ratio = rows["grpc"]["cpu_s_per_M"] / rows["http-4"]["cpu_s_per_M"]
        made.append(check("grpc / http CPU", ratio, 1.3))
    return made


def selected(only: list[str], *, quick: bool) -> list[Scenario]:
    """Return the scenarios to run, smaller ones when it shall be quick."""
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    if not quick:
        return chosen
    return [dataclasses.replace(each, bodies=(each.bodies or 2000) // 10, turns=1, settled=False) for each in chosen]


def measure_felt(names: list[str], options: argparse.Namespace) -> figures.Figures:
    """Run the scenarios that people feel, and print each one's rows when it is done."""
    run, made = figures.Run(Bodies, minutes=options.minutes, quick=options.quick), {}
    for name in names:
        print(f"running {name} ...", file=sys.stderr)
        rows = figures.SCENARIOS[name](run)
        print(table([{"row": row, **figures_of_row} for row, figures_of_row in rows.items()]))
        made |= rows
    return made


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure ingest.")
    names = [*(scenario.name for scenario in SCENARIOS), *FELT]
    parser.add_argument("--only", nargs="+", default=[], choices=names)
    parser.add_argument("--minutes", type=float, default=60, help="how long the demo's load lasts")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load: for trying out, not for figures")
    parser.add_argument("--list", action="store_true", help="show the scenarios and end")
    options = parser.parse_args()
    clean_up_on_sigterm()
    if options.list:
        print(table([dataclasses.asdict(scenario) for scenario in SCENARIOS]))
        return
    felt = measure_felt([name for name in FELT if not options.only or name in options.only], options)
    if options.only and set(options.only) <= set(FELT):
        print(f"written to {write('felt', {'rows': felt})}")
        return
    kinds = {kind: Bodies(kind) for kind in {each.kind for each in selected(options.only, quick=False)} | {"traces"}}
    calibration = [parse_cpu_s_per_million(kinds["traces"])]
    rows: dict[str, dict[str, Any]] = {}
    for scenario in selected(options.only, quick=options.quick):
        print(f"running {scenario.name} ...", file=sys.stderr)
        rows[scenario.name] = measure(scenario, kinds[scenario.kind])
        print(table([rows[scenario.name]]), file=sys.stderr)  # kept when a later one is interrupted
    visibility = probe()
    calibration.append(parse_cpu_s_per_million(kinds["traces"]))
    checks = [*targets(rows), check("visible after ack, ms", visibility["max_ms"], 1000)]
    print(table(list(rows.values())), table(checks), sep="\n\n")
    print(
        f"\na bare protobuf parse of these spans, before and after: {calibration[0]:.2f}, {calibration[1]:.2f} CPU s/M"
    )
    facts = {"felt": felt, "calibration_cpu_s_per_M": calibration, "visibility": visibility}
    print(f"written to {write('ingest', {**facts, 'rows': rows, 'targets': checks})}")


if __name__ == "__main__":
    main()
