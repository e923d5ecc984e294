"""The query benchmarks: search over one million spans of an hour and ten million of a day, through the HTTP API.

    python benchmarks/queries.py [--only hour day] [--quick] [--keep DIR]

Loads a server, lets it settle, then asks each question 30 times with rotating arguments and checks the answers that
are known. Then asks again while spans come in at half the sustained rate. Results go to benchmarks/out/queries.json.
With --keep the loaded data directory stays in DIR and is used again by the next run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from loadgen.asking import ask
from loadgen.felt.by_state import Meanwhile, fill
from loadgen.prepared import Bodies
from loadgen.process import clean_up_on_sigterm, settle
from loadgen.questions import Loaded, day_questions, hour_questions
from loadgen.report import table, write
from loadgen.server import ServerProcess

#: Name, passes over the million prepared spans, seconds they are spread over.
SIZES = {"hour": (1, 3600), "day": (10, 86_400)}
QUESTIONS = {"hour": hour_questions, "day": day_questions}


def load(server: ServerProcess, bodies: Bodies, turns: int, window_s: int, count: int) -> Loaded:
    """Fill a server, or recognise a data directory that a run before has filled; returns what is in it."""
    note = server.data.with_name(f"{server.data.name}.json")
    if note.exists():
        return Loaded(bodies, **json.loads(note.read_text()))
    loaded = fill(server, bodies, turns=turns, window_s=window_s, count=count)
    settle(server.pid, server.data)
    facts = {"start_ns": loaded.start_ns, "end_ns": loaded.end_ns, "turns": turns, "count": loaded.count}
    note.write_text(json.dumps(facts))
    return loaded


def run(size: str, folder: Path, bodies: Bodies, *, quick: bool) -> list[dict[str, Any]]:
    """Measure one size and return its rows."""
    turns, window_s = SIZES[size]
    with ServerProcess(folder / size) as server:
        loaded = load(server, bodies, turns, window_s, 200 if quick else 0)
        server.stop()
        ready_s = server.start()
        print(f"{size}: ready {ready_s:.2f} s after a restart", file=sys.stderr)
        rows = [{"data": size, **ask(server, question)} for question in QUESTIONS[size](loaded)]
        with Meanwhile(server, bodies):
            busy = QUESTIONS[size](loaded, "ingesting")
            rows += [{"data": f"{size}, ingesting", **ask(server, question, busy=True)} for question in busy]
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure queries.")
    parser.add_argument("--only", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--quick", action="store_true", help="a tenth of the data: for trying out, not for figures")
    parser.add_argument("--keep", type=Path, help="keep the loaded data here, and use it if it is there")
    options = parser.parse_args()
    clean_up_on_sigterm()
    bodies = Bodies("traces")
    with tempfile.TemporaryDirectory(prefix="spanglass-bench-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row for size in options.only for row in run(size, folder, bodies, quick=options.quick)]
    print(table(rows))
    print(f"written to {write('queries', {'rows': rows})}")


if __name__ == "__main__":
    main()
