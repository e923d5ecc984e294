"""What explaining slowness takes over ten million spans of three days and 204 services, in this build and in another.

    python benchmarks/explaining.py --dir DIR [--base COMMIT] [--millions 10] [--rounds 2]

DIR is a folder of `hundred_million.py`; what is not in it yet is loaded. Each question is asked five times of a server
that was just started, over a copy of hard links: the first time, which reads what later ones find in memory, stands by
itself, of the others the median. With --base the builds take turns, as often as --rounds says, and the smallest figure
counts. A search by other spans of a trace may take twice the processor time of its twin by the spans themselves. Exit
code 1 when something takes longer than it may. Results go to benchmarks/out/explaining.json.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.asking import ask
from loadgen.comparing.builds import Build, base_build, this_build
from loadgen.growth.explaining import explaining
from loadgen.growth.loading import Loading
from loadgen.growth.shops import ManyShops
from loadgen.growth.upkeep import SETTINGS, link_or_copy
from loadgen.process import clean_up_on_sigterm
from loadgen.report import table, write
from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from loadgen.asking import Question

#: How many times the processor time of its twin a search by other spans may take.
_TIMES = 2
#: What builds of before a route or a word of the filter language answer.
_UNKNOWN = (http.client.NOT_FOUND, http.client.BAD_REQUEST)
_FIGURES = ("first_ms", "p50_ms", "cpu_ms")


def measure(build: Build, loading: Loading, data: Path) -> dict[str, dict[str, Any]]:
    """Ask a build all questions over a copy of the data, and return a row for each by its name."""
    with tempfile.TemporaryDirectory(prefix="spanglass-explaining-", dir=data.parent) as folder:
        copy = Path(folder, "data")
        shutil.copytree(data, copy, copy_function=link_or_copy)
        with ServerProcess(copy, SETTINGS, program=build.program) as server:
            asked = {question.name: _asked(server, question, twin) for twin, question in explaining(loading.plan)}
    return {name: row for name, row in asked.items() if row}


def _asked(server: ServerProcess, question: Question, twin: str) -> dict[str, Any]:
    """Ask for the first time, and then as often as there are arguments left; nothing where a build cannot answer."""
    begun = time.perf_counter()
    answer = server.request("GET", question.path(question.arguments[0]))
    first_ms = (time.perf_counter() - begun) * 1000
    if answer.status in _UNKNOWN:
        return {}
    rest = replace(question, arguments=question.arguments[1:])
    return {**ask(server, rest, warm_up=0), "first_ms": first_ms, "twin": twin}


def judged(build: str, rounds: list[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return a row for each question of a build: the smallest of each figure, and whether that is what it may be."""
    best = {name: {figure: min(one[name][figure] for one in rounds) for figure in _FIGURES} for name in rounds[0]}
    made = []
    for name, row in rounds[0].items():
        limit = f"{row['limit_ms']:.0f} ms" if row["limit_ms"] else f"{_TIMES} x CPU" if row["twin"] else ""
        met: bool | None = None
        if row["limit_ms"]:
            met = max(best[name]["first_ms"], best[name]["p50_ms"]) <= row["limit_ms"]
        elif row["twin"]:
            met = best[name]["cpu_ms"] <= _TIMES * best[row["twin"]]["cpu_ms"]
        made.append({"question": name, "build": build, **best[name], "limit": limit, "met": met})
    return made


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure what explaining slowness takes.")
    parser.add_argument("--dir", type=Path, required=True, help="where loaded data is kept, and used if it is there")
    parser.add_argument("--base", help="a commit, or a checkout with its .venv, that takes turns with this build")
    parser.add_argument("--millions", type=int, default=10, help="how many million spans (10)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each build is asked (2)")
    return parser.parse_args()


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    options = parse()
    clean_up_on_sigterm()
    options.dir.mkdir(parents=True, exist_ok=True)
    data = options.dir / f"{options.millions}M"
    loading = Loading(data, ManyShops("traces"), options.millions)
    if not loading.is_done:
        with ServerProcess(data, SETTINGS) as server:
            loading.run(server)
    builds = [*([base_build(options.base)] if options.base else []), this_build()]
    rounds: dict[str, list[dict[str, dict[str, Any]]]] = {build.name: [] for build in builds}
    for turn in range(options.rounds):
        for build in builds:
            print(f"round {turn + 1}: {build.name} ({build.commit}) ...", file=sys.stderr)
            rounds[build.name].append(measure(build, loading, data))
    rows = [row for build in builds for row in judged(build.name, rounds[build.name])]
    rows.sort(key=lambda row: [*rounds["new"][0]].index(row["question"]))
    print(table(rows))
    results = {"builds": [vars(build) for build in builds], "rounds": rounds, "rows": rows}
    print(f"written to {write('explaining', results)}")
    return int(any(row["met"] is False for row in rows if row["build"] == "new"))


if __name__ == "__main__":
    sys.exit(main())
