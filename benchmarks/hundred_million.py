"""How costs grow with what is stored: one, ten and a hundred million spans of 204 services at one rate, up to 30 days.

    python benchmarks/hundred_million.py --dir DIR [--millions 1 10 100] [--chart docs/growth.svg]

Fills a data directory for each size in DIR, in passes of a million; a run that was stopped goes on where it was, and
one that is full is used again. Then asks each question 20 times, checks the answers that are known, and measures start,
memory, disk, loading and retention. A hundred million take 5 GB of disk and some 40 minutes on two cores. Prints the
table of growth, writes benchmarks/out/hundred-million.json and, with --chart, an SVG of the medians.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from loadgen.asking import ask
from loadgen.growth.chart import growth_chart
from loadgen.growth.loading import Loading
from loadgen.growth.questions import questions
from loadgen.growth.shops import ManyShops
from loadgen.growth.upkeep import SETTINGS, cost_of_retention, costs_of_loading
from loadgen.process import clean_up_on_sigterm, resident_bytes
from loadgen.report import check, table, write
from loadgen.server import ServerProcess

#: What a hundred million spans may take.
LIMITS = {"start_s": 2, "asked_MB": 700, "bytes_per_span": 46}
#: By how much a cost may be above that of the size before it, which is measured on its own: drift of the machine.
_DRIFT = 1.1


def measure(folder: Path, bodies: ManyShops, millions: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Load a size if need be; returns its costs, and a row for each question."""
    data = folder / f"{millions}M"
    loading = Loading(data, bodies, millions)
    with ServerProcess(data, SETTINGS) as server:
        if not loading.is_done:
            loading.run(server)
        server.stop()
        costs = {"millions": millions, "start_s": server.start(), "idle_MB": resident_bytes(server.pid) / 1e6}
        rows = [{"millions": millions, **ask(server, each)} for each in questions(bodies, loading.plan)]
        costs["asked_MB"] = resident_bytes(server.pid) / 1e6
    return costs | costs_of_loading(loading) | cost_of_retention(data), rows


def growth(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Return a table with a row for each question and a column for each size."""
    names = dict.fromkeys(row["query"] for row in rows)
    return [
        {
            f"{column} of": name,
            **{f"{row['millions']}M": row[column] for row in rows if row["query"] == name},
            "limit": next(row["limit_ms"] for row in rows if row["query"] == name) if column == "p50_ms" else None,
        }
        for name in names
    ]


def checks(costs: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the largest size with what it may take, and with the size before it where that is the limit."""
    last = costs[-1]
    made = [check(row["query"], row["p50_ms"], row["limit_ms"]) for row in rows if row["millions"] == last["millions"]]
    made += [check(name, last[name], limit) for name, limit in LIMITS.items()]
    if len(costs) > 1:
        made.append(check("load_cpu_s_per_M", last["load_cpu_s_per_M"], costs[-2]["load_cpu_s_per_M"] * _DRIFT))
    return made


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure how costs grow.")
    parser.add_argument("--dir", type=Path, required=True, help="where data directories are kept and found again")
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 100], help="sizes, in millions of spans")
    parser.add_argument("--chart", type=Path, help="write an SVG of the medians here")
    options = parser.parse_args()
    clean_up_on_sigterm()
    options.dir.mkdir(parents=True, exist_ok=True)
    bodies = ManyShops("traces")
    costs: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for millions in sorted(set(options.millions)):
        print(f"{millions} million ...", file=sys.stderr)
        cost, answers = measure(options.dir, bodies, millions)
        costs.append(cost)
        rows += answers
        print(table(answers), table([cost]), sep="\n", file=sys.stderr)  # kept when a later one is interrupted
    tables = [growth(rows, "p50_ms"), growth(rows, "cpu_ms"), costs, checks(costs, rows)]
    print(*map(table, tables), sep="\n\n")
    if options.chart:
        names = dict.fromkeys(row["query"] for row in rows)
        lines = {name: [(r["millions"], r["p50_ms"]) for r in rows if r["query"] == name] for name in names}
        options.chart.write_text(growth_chart(lines, "ms"))
    print(f"written to {write('hundred-million', {'costs': costs, 'rows': rows, 'targets': tables[-1]})}")


if __name__ == "__main__":
    main()
