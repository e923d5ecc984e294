"""Requests of an hour on a machine that is busy at times, made up: what is slow by itself, and what only waits then.

While the machine is busy, all that waits for it takes longer, each time by another factor, and often in one place: a
commit that waits for the disk is in no span.
"""

# ruff: noqa: S311 - random numbers make traces, not secrets

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, NamedTuple

from trace_patterns import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from trace_patterns import Row

MINUTES: Final = 60
#: While the machine is busy, half of the requests take up to so many times as long, and the others are quick.
_SLOWED, _QUICK = 30.0, 0.5
_GAPS_A_MINUTE, _QUERIES_A_MINUTE = 2, 8


class Made(NamedTuple):
    """An operation: its kind of finding, what a request of it does, how often a minute, and whether it has it."""

    kind: str
    request: Callable[[Trace, float], None]
    a_minute: int
    has_it: bool


def _untold_work(trace: Trace, slowed: float) -> None:
    """Most of each request is in no span."""
    trace.query("SELECT a FROM b WHERE c = ?", slowed)
    trace.work(150 + slowed)


def _untold_now_and_then(trace: Trace, slowed: float) -> None:
    """Most of every second request is in no span."""
    trace.query("SELECT a FROM b WHERE c = ?", slowed)
    trace.work(300 if trace.chance.random() < 0.6 else slowed)


def _commit(trace: Trace, slowed: float) -> None:
    """A statement, and a commit that no span tells of."""
    trace.query("UPDATE b SET c = ?", slowed / 2)
    trace.work(20 * slowed)


def _slow(trace: Trace, slowed: float) -> None:
    """A statement that takes long by itself."""
    trace.query("SELECT * FROM reviews WHERE text LIKE '%x%'", 250 + slowed)


def _slow_for_some(trace: Trace, slowed: float) -> None:
    """A statement that takes long with half of the values."""
    trace.query("SELECT * FROM reviews WHERE tenant = ?", 300 if trace.chance.random() < 0.5 else 3 * slowed)


def _quick(trace: Trace, slowed: float) -> None:
    """A statement that takes 12 ms on a machine that is not busy."""
    trace.query("SELECT p.id FROM products AS p WHERE p.name LIKE ?", 12 * slowed)


def _plain(trace: Trace, slowed: float) -> None:
    """What most requests are: some quick statements."""
    trace.query("SELECT a FROM b WHERE c = ?", slowed)
    trace.query("SELECT d FROM e WHERE f = ?", slowed)


KINDS: Final = (
    Made("gap", _plain, _QUERIES_A_MINUTE, has_it=False),
    Made("gap", _untold_work, _GAPS_A_MINUTE, has_it=True),
    Made("gap", _untold_now_and_then, _GAPS_A_MINUTE, has_it=True),
    Made("gap", _commit, _GAPS_A_MINUTE, has_it=False),
    Made("slow_query", _slow, _QUERIES_A_MINUTE, has_it=True),
    Made("slow_query", _slow_for_some, _QUERIES_A_MINUTE, has_it=True),
    Made("slow_query", _quick, _QUERIES_A_MINUTE, has_it=False),
)


#: What is slow at times by itself, for as many requests as would be held on a busy machine.
SLOW_AT_TIMES: Final = (Made("slow_query", _slow_for_some, _QUERIES_A_MINUTE, has_it=True),)


def make_hour(
    each: int, seed: int, busy: Container[int], sorts: Sequence[Made] = KINDS
) -> tuple[list[Row], Sequence[tuple[str, str, bool]]]:
    """Make ``each`` operations of each sort, on a machine busy in some minutes: rows; kind, name and truth of each."""
    chance, rows, number, labels = random.Random(seed), [], 0, []
    for sort, made in enumerate(sorts):
        for place in range(each):
            name = f"POST /{sort}/{place}"
            labels.append((made.kind, name, made.has_it))
            for at in range(MINUTES * made.a_minute):
                number += 1
                trace = Trace(chance, number)
                minute = at // made.a_minute
                shift_ns = int((at * 60_000 / made.a_minute - trace.now) * 1_000_000)
                trace.root["name"], trace.root["resource.service.name:str"] = name, "shop"
                trace.service = "shop"
                slowed = chance.uniform(1.0, _SLOWED) if minute in busy and chance.random() > _QUICK else 1.0
                trace.now += slowed  # what it does itself waits for the processor like all else
                made.request(trace, slowed)
                for row in trace.end():
                    row["start_time_ns"] += shift_ns
                    rows.append(row)
    return rows, labels
