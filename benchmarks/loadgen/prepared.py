"""Prepared bodies on disk: written once, read by memory map, moved to any time and to fresh ids in half a millisecond.

A kind (traces, logs, metrics) is three files: ``.bin`` holds all bodies back to back, ``.npz`` where each begins and
where its times and ids stand, ``.json`` the facts that answers are checked against.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.offsets import TREES, Mark, Offsets
from loadgen.traces import BASE_TIME_NS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Where prepared data is; SPANGLASS_BENCH_DATA names another place.
DATA = Path(os.environ.get("SPANGLASS_BENCH_DATA", Path(__file__).parent.parent / "data"))
_MASK = (1 << 64) - 1
#: Names of the offset arrays in the ``.npz`` file.
_ARRAYS = {Mark.TIME: "T", Mark.TRACE_ID: "I16", Mark.SPAN_ID: "I8"}


class Writer:
    """Writes the bodies of one kind, one after the other."""

    def __init__(self, folder: Path, kind: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.kind = folder / kind, kind
        self.offsets = Offsets()
        self.starts: list[int] = []
        self.sizes: list[int] = []
        self.counts: list[int] = []
        self.marks: list[tuple[int, ...]] = []
        self.size_bytes = 0
        self.file = self.path.with_suffix(".bin").open("wb")

    def add(self, body: bytes, records: int) -> None:
        """Append a body that holds this many records."""
        self.marks.append(self.offsets.lengths())
        self.offsets.scan(body, TREES[self.kind])
        self.file.write(body)
        self.starts.append(self.size_bytes)
        self.sizes.append(len(body))
        self.counts.append(records)
        self.size_bytes += len(body)

    def close(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Write the other two files; returns the facts with sizes added."""
        self.file.close()
        self.marks.append(self.offsets.lengths())
        places = {name: np.array(self.offsets.arrays[mark], np.int32) for mark, name in _ARRAYS.items()}
        np.savez(
            self.path.with_suffix(".npz"),
            off=np.array(self.starts, np.int64),
            len=np.array(self.sizes, np.int64),
            n=np.array(self.counts, np.int32),
            marks=np.array(self.marks, np.int64),
            **places,
        )
        items = sum(self.counts)
        sizes = {"bodies": len(self.starts), "items": items, "bytes": self.size_bytes}
        whole = {"kind": self.kind, **sizes, "bytes_per_item": self.size_bytes / items, **facts}
        self.path.with_suffix(".json").write_text(json.dumps(whole))
        return whole


class Bodies:
    """The prepared bodies of one kind."""

    def __init__(self, kind: str, folder: Path = DATA) -> None:
        path = folder / kind
        if not path.with_suffix(".npz").exists():
            raise SystemExit(f"no prepared {kind} in {folder}: run `python benchmarks/generate.py --kind {kind}` first")
        self.facts = json.loads(path.with_suffix(".json").read_text())
        self.arrays = dict(np.load(path.with_suffix(".npz")))
        self.raw = np.memmap(path.with_suffix(".bin"), dtype=np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self.arrays["off"])

    def records(self, index: int) -> int:
        """How many records a body holds."""
        return int(self.arrays["n"][index])

    def body(self, index: int, shift_ns: int, turn: int = 0) -> bytes:
        """Return a body with its times moved and, in any turn but 0, with ids of its own."""
        start, size = int(self.arrays["off"][index]), int(self.arrays["len"][index])
        body = np.array(self.raw[start : start + size])
        trace_salt, span_salt = _salts(turn)
        self._edit(body, index, Mark.TIME, lambda words: words + np.uint64(shift_ns & _MASK))
        if turn:
            self._edit(body, index, Mark.TRACE_ID, lambda words: words ^ np.uint64(trace_salt))
            self._edit(body, index, Mark.SPAN_ID, lambda words: words ^ np.uint64(span_salt))
        return body.tobytes()

    def _edit(self, body: np.ndarray, index: int, mark: Mark, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Change the eight bytes at every marked place of a body."""
        column = list(Mark).index(mark)
        first, last = self.arrays["marks"][index][column], self.arrays["marks"][index + 1][column]
        places = self.arrays[_ARRAYS[mark]][first:last, None].astype(np.int64) + np.arange(8)
        if len(places):
            words = body[places].view("<u8").reshape(-1)
            body[places] = change(words).astype("<u8").reshape(-1, 1).view(np.uint8)

    def sample_traces(self, wanted: int, turns: int, bodies: int, first: int = 0) -> list[tuple[str, int]]:
        """Trace ids in hex with their number of spans, spread over the turns, of the bodies from ``first`` on."""
        groups = range(-(-first // self.facts["group"]), bodies // self.facts["group"])
        usable = [row for row in self.facts["samples"] if row[0] in groups]
        rows = []
        for step in range(wanted):
            _, trace_id, spans = usable[(step * 7919) % len(usable)]
            head = int.from_bytes(bytes.fromhex(trace_id[:16]), "little") ^ _salts(step % turns)[0]
            rows.append((head.to_bytes(8, "little").hex() + trace_id[16:], spans))
        return rows


class Stream:
    """Bodies in the order they are sent: ``turns`` passes over the first ``bodies``, spread evenly over a window.

    Two streams whose turns do not overlap (``first_turn``) share no ids.
    """

    def __init__(
        self, source: Bodies, bodies: int, turns: int, start_ns: int, end_ns: int, *, first_turn: int = 0
    ) -> None:
        self.source, self.bodies, self.turns = source, min(bodies or len(source), len(source)), turns
        self.start_ns, self.end_ns, self.first_turn = start_ns, end_ns, first_turn

    def __len__(self) -> int:
        return self.bodies * self.turns

    def records(self) -> int:
        """How many records the whole stream holds."""
        return self.turns * int(self.source.arrays["n"][: self.bodies].sum())

    def item(self, position: int) -> tuple[bytes, int]:
        """Return the body at a position of the stream, and its number of records."""
        turn, index = divmod(position, self.bodies)
        group = self.source.facts["group"]
        groups = -(-self.bodies // group)
        slot = turn * groups + index // group
        at_ns = self.start_ns + (self.end_ns - self.start_ns) * slot // (groups * self.turns)
        return self.source.body(index, at_ns - BASE_TIME_NS, self.first_turn + turn), self.source.records(index)


def _splitmix(value: int) -> int:
    """One step of the splitmix64 generator (Steele, Lea, Flood 2014): a well-mixed 64-bit number."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _salts(turn: int) -> tuple[int, int]:
    """Return what the ids of a turn are XORed with: the trace ids' first eight bytes, and the span ids."""
    return (_splitmix(turn * 2), _splitmix(turn * 2 + 1)) if turn else (0, 0)
