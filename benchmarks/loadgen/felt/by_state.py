"""The same questions over fresh data, while spans come in, and over data that has settled."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from loadgen.asking import ask
from loadgen.prepared import Stream
from loadgen.process import settle
from loadgen.questions import Loaded, hour_questions
from loadgen.scenario import NS, fresh_server
from loadgen.sending import Sender
from loadgen.server import SPANGLASS
from loadgen.transports import factory

if TYPE_CHECKING:
    from collections.abc import Collection

    from loadgen.prepared import Bodies
    from loadgen.server import ServerProcess

HALF_RATE_BODIES_PER_S = 60
#: Enough passes for 50 minutes at that rate; the questions end first.
_TURNS = 90
#: Between the last acknowledgement and the first question: "what came in a moment ago".
FRESH_S = 5


class Meanwhile:
    """Ingest at half the sustained rate while questions are asked: spans of now, later than what was loaded."""

    def __init__(self, server: ServerProcess, bodies: Bodies) -> None:
        now_ns = time.time_ns()
        end_ns = now_ns + _TURNS * len(bodies) * NS // HALF_RATE_BODIES_PER_S
        stream = Stream(bodies, 0, _TURNS, now_ns, end_ns, first_turn=100)
        connect = factory("http", server.port, server.grpc_port, "traces")
        self.sender = Sender(connect, stream, rate_per_s=HALF_RATE_BODIES_PER_S)
        self.thread = threading.Thread(target=self.sender.run, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        time.sleep(3)
        return self

    def __exit__(self, *_: object) -> None:
        self.sender.stopped.set()
        self.thread.join()


def measure_by_state(
    bodies: Bodies, states: Collection[str], program: str = SPANGLASS, *, count: int = 0
) -> list[dict[str, Any]]:
    """Load spans of an hour into a server of its own as fast as they are taken, and ask in each wanted state.

    First ``fresh``, before the server has written all of it to segments; then ``settled``, after flush, compaction and
    a restart; then ``ingesting``, with 30,000 more spans a second. Returns a row for each state and question.
    """
    rows = []

    def asked(state: str) -> None:
        busy = state == "ingesting"
        rows.extend({"data": state, **ask(server, each, busy=busy)} for each in hour_questions(loaded, state))

    with fresh_server(program=program) as server:
        loaded = fill(server, bodies, count=count)
        if "fresh" in states:
            time.sleep(FRESH_S)
            asked("fresh")
        if "settled" in states:
            settle(server.pid, server.data)
            server.stop()
            server.start()
            asked("settled")
        if "ingesting" in states:
            with Meanwhile(server, bodies):
                asked("ingesting")
    return rows


def fill(server: ServerProcess, bodies: Bodies, *, turns: int = 1, window_s: int = 3600, count: int = 0) -> Loaded:
    """Send ``turns`` passes over the first ``count`` bodies (0: all) as fast as they are taken; returns what is in it.

    Their times are spread over the last ``window_s`` seconds.
    """
    end_ns = time.time_ns() - 2 * NS
    stream = Stream(bodies, count, turns, end_ns - window_s * NS, end_ns)
    tally = Sender(factory("http", server.port, server.grpc_port, "traces"), stream).run()
    if tally.accepted != stream.records():
        raise SystemExit(f"loading failed: {tally.accepted:,} of {stream.records():,} spans taken, {tally.errors}")
    return Loaded(bodies, stream.start_ns, end_ns + 2 * NS, turns, stream.bodies)
