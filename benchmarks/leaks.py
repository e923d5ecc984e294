"""Which processes are told to leak, of labelled ones, and what a look costs.

    .venv/bin/python benchmarks/leaks.py [--each 60] [--seeds 3]

Each process is looked at once; ``made_leaks.py`` says what the kinds are.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from made_leaks import make_processes
from spanglass_server.leaks.climbing import find_climb, may_climb


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=60, help="processes of each kind")
    parser.add_argument("--seeds", type=int, default=3, help="how often they are made anew")
    arguments = parser.parse_args()
    made: Counter[tuple[str, bool]] = Counter()
    told: Counter[tuple[str, bool]] = Counter()
    spent_s = 0.0
    for seed in range(arguments.seeds):
        for one in make_processes(arguments.each, seed):
            rows, began = one.rows(), time.process_time()
            is_told = bool(may_climb([row[None] for row in rows])[0]) and find_climb(rows) is not None
            spent_s += time.process_time() - began
            made[one.kind, one.is_leak] += 1
            told[one.kind, one.is_leak] += is_told
    print("| process | leaks | told of % |")
    print("| --- | --- | --- |")
    for (kind, is_leak), number in made.items():
        print(f"| {kind} | {'yes' if is_leak else 'no'} | {100 * told[kind, is_leak] / number:.0f} |")
    right = sum(number for (_, is_leak), number in told.items() if is_leak)
    leaks = sum(number for (_, is_leak), number in made.items() if is_leak)
    print(f"\nprecision {right / told.total():.3f}, recall {right / leaks:.3f}")
    print(f"processor time: {1000 * spent_s / made.total():.2f} ms a process")


if __name__ == "__main__":
    main()
