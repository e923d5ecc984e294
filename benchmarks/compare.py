"""Two builds in turn on the same load: how fast are both, are the aims of speed reached, and do they answer alike.

    python benchmarks/compare.py --base COMMIT [--only NAME ...] [--rounds 2] [--minutes 60] [--quick]
    python benchmarks/compare.py --base COMMIT --only answers [--data DIR --start NS --end NS]

--base is a commit, which gets a git worktree with an environment of its own in benchmarks/out/builds, or a checkout
in a folder that has its .venv. The other build is this checkout's. Each scenario runs on one, then on the other, as
often as --rounds says, each time with a server and a data directory of its own; of several rounds the smallest cost
counts. `answers` asks both the same questions over copies of one data directory, over records in memory, and over
what each has written, and lists the answers that differ. Exit code 1 when an answer differs or an aim is not reached.
Results go to benchmarks/out/compare.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.calibrate import parse_cpu_s_per_million
from loadgen.comparing.aims import compared
from loadgen.comparing.answers import Check
from loadgen.comparing.builds import Build, base_build, this_build
from loadgen.felt.figures import SCENARIOS, Figures, Run
from loadgen.prepared import Bodies
from loadgen.process import clean_up_on_sigterm
from loadgen.report import table, write

if TYPE_CHECKING:
    from collections.abc import Sequence

#: `fresh` is a part of `queries`.
USUAL = [name for name in SCENARIOS if name != "fresh"]
_ANSWER_BODIES = 60


def run_in_turn(names: Sequence[str], builds: Sequence[Build], options: argparse.Namespace) -> dict[str, list[Figures]]:
    """Run scenarios on the builds in turn; returns the figures of each build and round."""
    rounds: dict[str, list[Figures]] = {build.name: [] for build in builds}
    for turn in range(options.rounds):
        made: dict[str, Figures] = {build.name: {} for build in builds}
        for name in names:
            for build in builds:
                print(f"round {turn + 1}: {name}, {build.name} ...", file=sys.stderr)
                run = Run(cached_bodies, build.program, options.minutes, options.quick)
                rows = SCENARIOS[name](run)
                print(table([{"row": row, **figures} for row, figures in rows.items()]), file=sys.stderr)
                made[build.name] |= rows
        for build in builds:
            rounds[build.name].append(made[build.name])
    return rounds


@cache
def cached_bodies(kind: str) -> Bodies:
    """Return the prepared bodies of a kind."""
    return Bodies(kind)


def check_answers(base: Build, new: Build, options: argparse.Namespace) -> dict[str, Any]:
    """Ask both builds the same, and print what differs."""
    with tempfile.TemporaryDirectory(prefix="spanglass-answers-") as folder:
        count = 8 if options.quick else _ANSWER_BODIES
        window = (options.start, options.end)
        asked, rows = Check(base, new, cached_bodies, count, Path(folder), options.data, window).run()
    print(f"{asked} questions, {len(rows)} answers differ" + (f"\n{table(rows)}" if rows else ""))
    return {"asked": asked, "differ": rows}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with a message when it makes no sense."""
    parser = argparse.ArgumentParser(description="Run two builds in turn.")
    parser.add_argument("--base", required=True, help="a commit, or a checkout with its .venv")
    parser.add_argument("--only", nargs="+", default=[*USUAL, "answers"], choices=[*SCENARIOS, "answers"])
    parser.add_argument("--rounds", type=int, default=2, help="how often each build runs each scenario (2)")
    parser.add_argument("--minutes", type=float, default=60, help="how long the demo's load lasts (60)")
    parser.add_argument("--data", type=Path, help="data directory of the base to copy for answers, with --start, --end")
    parser.add_argument("--start", type=int, default=0, help="beginning of its times, in Unix nanoseconds")
    parser.add_argument("--end", type=int, default=0, help="end of its times, in Unix nanoseconds")
    parser.add_argument("--quick", action="store_true", help="a little of everything: for trying out, not for figures")
    options = parser.parse_args(words)
    if options.data and not 0 < options.start < options.end:
        parser.error("--data needs --start and --end: of which times answers are compared")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Compare what the command line asks for; returns the exit code."""
    options = parse(words)
    clean_up_on_sigterm()
    builds = [base_build(options.base), this_build()]
    print("  ".join(f"{build.name}: {build.commit}" for build in builds))
    names = [name for name in options.only if name != "answers"]
    calibration = [parse_cpu_s_per_million(cached_bodies("traces"), 100)]
    rounds = run_in_turn(names, builds, options)
    calibration.append(parse_cpu_s_per_million(cached_bodies("traces"), 100))
    rows = compared(rounds) if names else []
    answers = check_answers(*builds, options) if "answers" in options.only else {}
    if rows:
        print(table(rows))
        print("a bare protobuf parse, before and after: {:.2f}, {:.2f} CPU s/M".format(*calibration))
    results = {"builds": [vars(build) for build in builds], "calibration_cpu_s_per_M": calibration}
    print(f"written to {write('compare', {**results, 'rounds': rounds, 'rows': rows, 'answers': answers})}")
    return int(bool(answers.get("differ")) or any(row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
