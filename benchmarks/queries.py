"""The query benchmarks: search over one million spans of an hour and ten million of a day, through the HTTP API.

    python benchmarks/queries.py [--only hour day] [--quick] [--keep DIR]

Loads a server, lets it settle, then asks each question 30 times with rotating arguments and checks the answers that
are known. Then asks again while spans come in at half the sustained rate. Results go to benchmarks/out/queries.json.
With --keep the loaded data directory stays in DIR and is used again by the next run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.asking import ask
from loadgen.prepared import Bodies, Stream
from loadgen.process import clean_up_on_sigterm, settle
from loadgen.questions import Loaded, day_questions, hour_questions
from loadgen.report import table, write
from loadgen.scenario import NS
from loadgen.sending import Sender
from loadgen.server import ServerProcess
from loadgen.transports import factory

if TYPE_CHECKING:
    from loadgen.asking import Question

HALF_RATE_BODIES_PER_S = 60
#: Enough passes for 50 minutes at that rate; the questions end first.
_TURNS = 90
#: Name, passes over the million prepared spans, seconds they are spread over.
SIZES = {"hour": (1, 3600), "day": (10, 86_400)}
QUESTIONS = {"hour": hour_questions, "day": day_questions}


def load(server: ServerProcess, bodies: Bodies, turns: int, window_s: int, count: int) -> Loaded:
    """Fill a server, or recognise a data directory that a run before has filled; returns what is in it."""
    note = server.data.with_name(f"{server.data.name}.json")
    if note.exists():
        return Loaded(bodies, **json.loads(note.read_text()))
    end_ns = time.time_ns() - 2 * NS
    stream = Stream(bodies, count, turns, end_ns - window_s * NS, end_ns)
    tally = Sender(factory("http", server.port, server.grpc_port, "traces"), stream).run()
    if tally.accepted != stream.records():
        raise SystemExit(f"loading failed: {tally.accepted:,} of {stream.records():,} spans taken, {tally.errors}")
    settle(server.pid, server.data)
    facts = {"start_ns": stream.start_ns, "end_ns": end_ns + 2 * NS, "turns": turns, "count": stream.bodies}
    note.write_text(json.dumps(facts))
    return Loaded(bodies, **facts)


class Meanwhile:
    """Ingest at half the sustained rate while questions are asked: spans of now, later than what was loaded."""

    def __init__(self, server: ServerProcess, bodies: Bodies) -> None:
        now_ns = time.time_ns()
        end_ns = now_ns + _TURNS * len(bodies) * NS // HALF_RATE_BODIES_PER_S
        stream = Stream(bodies, 0, _TURNS, now_ns, end_ns, first_turn=100)
        connect = factory("http", server.port, server.grpc_port, "traces")
        self.sender = Sender(connect, stream, rate_per_s=HALF_RATE_BODIES_PER_S)
        self.thread = threading.Thread(target=self.sender.run, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()
        time.sleep(3)

    def __exit__(self, *_: object) -> None:
        self.sender.stopped.set()
        self.thread.join()


def run(size: str, folder: Path, bodies: Bodies, *, quick: bool) -> list[dict[str, Any]]:
    """Measure one size and return its rows."""
    turns, window_s = SIZES[size]
    with ServerProcess(folder / size) as server:
        loaded = load(server, bodies, turns, window_s, 200 if quick else 0)
        server.stop()
        ready_s = server.start()
        print(f"{size}: ready {ready_s:.2f} s after a restart", file=sys.stderr)
        rows = [{"data": size, **ask(server.port, question)} for question in QUESTIONS[size](loaded)]
        with Meanwhile(server, bodies):
            busy = [_relaxed(question) for question in QUESTIONS[size](loaded)]
            rows += [{"data": f"{size}, ingesting", **ask(server.port, question)} for question in busy]
    return rows


def _relaxed(question: Question) -> Question:
    """Return a question that may take three times as long."""
    return dataclasses.replace(question, limit_ms=question.limit_ms * 3)


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
