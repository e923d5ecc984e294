"""Filling a data directory in passes of a million spans, which can be stopped at any time and taken up again."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loadgen.prepared import Stream
from loadgen.process import cpu_seconds, disk_bytes, settle
from loadgen.sending import Sender
from loadgen.transports import factory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from loadgen.growth.shops import ManyShops
    from loadgen.server import ServerProcess

NS = 1_000_000_000
DAY_NS = 86_400 * NS
#: All sizes have the same rate, so that the last hour holds as much in each; a hundred million take 30 days.
DAYS_A_MILLION = 0.3
_IDS_A_QUESTION = 500


@dataclass(frozen=True)
class Plan:
    """So many millions of spans that end at a time."""

    millions: int
    end_ns: int

    @property
    def start_ns(self) -> int:
        """When the first pass begins."""
        return self.pass_ns(0)[0]

    def pass_ns(self, turn: int) -> tuple[int, int]:
        """Begin and end of a pass: they follow each other."""
        length = int(DAYS_A_MILLION * DAY_NS)
        begin = self.end_ns - (self.millions - turn) * length
        return begin, begin + length


class Rest:
    """Some positions of a stream."""

    def __init__(self, stream: Stream, positions: Sequence[int]) -> None:
        self.stream, self.positions = stream, positions

    def __len__(self) -> int:
        return len(self.positions)

    def item(self, position: int) -> tuple[bytes, int]:
        """Return one body and its number of records."""
        return self.stream.item(self.positions[position])


class Loading:
    """Loads by a plan, and notes beside the data directory which passes are done and what each took."""

    def __init__(self, data: Path, bodies: ManyShops, millions: int) -> None:
        self.path = data.with_name(f"{data.name}.json")
        self.bodies = bodies
        self.note: dict[str, Any] = {"millions": millions, "end_ns": time.time_ns() - 2 * NS, "passes": []}
        if self.path.exists():
            self.note = json.loads(self.path.read_text())
        self.plan = Plan(self.note["millions"], self.note["end_ns"])

    @property
    def is_done(self) -> bool:
        """Whether everything was loaded, and the server came to rest."""
        return "bytes" in self.note

    def run(self, server: ServerProcess) -> None:
        """Do the passes that are left, and wait until the server has nothing left to do."""
        for turn in range(len(self.note["passes"]), self.plan.millions):
            self.note["passes"].append(self._pass(server, turn))
            self._keep()
        cpu_s = cpu_seconds(server.pid)
        settle(server.pid, server.data)
        self.note |= {"settling_cpu_s": cpu_seconds(server.pid) - cpu_s, "bytes": disk_bytes(server.data)}
        self._keep()

    def _pass(self, server: ServerProcess, turn: int) -> dict[str, float]:
        begin_ns, end_ns = self.plan.pass_ns(turn)
        stream = Stream(self.bodies, 0, 1, begin_ns, end_ns, first_turn=turn)
        source = Rest(stream, self._missing(server, stream, turn))
        cpu_s = cpu_seconds(server.pid)
        tally = Sender(factory("http", server.port, server.grpc_port, "traces"), source).run()
        wanted = sum(self.bodies.records(position) for position in source.positions)
        if tally.accepted != wanted:
            raise SystemExit(f"loading failed: {tally.accepted:,} of {wanted:,} spans taken, {tally.errors}")
        print(f"pass {turn + 1} of {self.plan.millions}: {tally.per_second:,.0f} spans/s", file=sys.stderr)
        return {"spans": tally.accepted, "wall_s": tally.wall_s, "cpu_s": cpu_seconds(server.pid) - cpu_s}

    def _missing(self, server: ServerProcess, stream: Stream, turn: int) -> list[int]:
        """The bodies of a pass that are not stored: all of them, unless it was stopped half-way."""
        positions = range(len(stream))
        ids = {self.bodies.first_span(position, turn): position for position in positions}
        found = set()
        for first in range(0, len(ids), _IDS_A_QUESTION):
            found |= _stored(server, list(ids)[first : first + _IDS_A_QUESTION], stream.start_ns, stream.end_ns)
        return [position for span_id, position in ids.items() if span_id not in found]

    def _keep(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.note))
        fresh.rename(self.path)


def _stored(server: ServerProcess, span_ids: Sequence[str], start_ns: int, end_ns: int) -> set[str]:
    """Those of the spans that the server has."""
    listed = ", ".join(f"'{each}'" for each in span_ids)
    sql = (
        "SELECT string_agg(span_id, ' ') FROM spans "  # noqa: S608 - hex digits of our own
        f"WHERE start_time_ns >= {start_ns - NS} AND start_time_ns < {end_ns + 60 * NS} AND span_id IN ({listed})"
    )
    headers = {"Content-Type": "application/json"}
    answer = server.request("POST", "/api/v1/sql", json.dumps({"sql": sql}).encode(), headers)
    if answer.status != 200:
        raise SystemExit(f"what is stored can't be asked: {answer.status} {answer.body[:500]!r}")
    return set((answer.json()["rows"][0][0] or "").split())
