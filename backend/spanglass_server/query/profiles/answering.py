"""A profile as the API says it: stacks folded into one tree, functions, and operations."""

from __future__ import annotations

import zlib
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, TypedDict

from spanglass_core.call_trees.stacks import fold_stacks
from spanglass_core.traces.trace_paths import heaviest
from spanglass_server.query.answers import Nanoseconds, Slot, TimeRange, whole
from spanglass_server.query.profiles.reading import CPU_TIME, read_profile
from spanglass_server.query.window import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from spanglass_core.call_trees.stacks import Frame, Function, Times
    from spanglass_server.query.profiles.reading import Profile, ProfileQuestion
    from spanglass_server.store.ports import QuerySession

_MOST_FUNCTIONS, _MOST_OPERATIONS = 200, 100
_SLOTS = 10


class ProfileFrame(TypedDict):
    """A function below the same callers. Its parent is the last frame above it that is less deep.

    ``total_ns`` is the time of all stacks that lead through it, ``self_ns`` of those that end there. ``slot`` is the
    colour of its package.
    """

    depth: int
    module: str
    function: str
    file: str
    line: int
    slot: Slot
    samples: int
    self_ns: Nanoseconds
    total_ns: Nanoseconds


class ProfileFunction(TypedDict):
    """A function wherever it was called from; recursion counts once in ``total_ns``."""

    module: str
    function: str
    file: str
    line: int
    slot: Slot
    samples: int
    self_ns: Nanoseconds
    total_ns: Nanoseconds


class ProfileOperation(TypedDict):
    """Stacks of a service's operation; null for threads that worked for no span. ``cpu_ns`` is null where unknown."""

    service: str
    slot: Slot
    operation: str | None
    samples: int
    wall_ns: Nanoseconds
    cpu_ns: Nanoseconds | None


class ProfileAnswer(TypedDict):
    """The answer of ``GET /api/v1/profiles``.

    ``frames`` are of the measure that was asked for, the lightest left out beyond the limit. Where only slices of the
    range were read, ``sampled_share`` says how much of it, and all figures are estimates for the whole range.
    """

    window: TimeRange
    measure: Literal["wall", "cpu"]
    samples: int
    wall_ns: Nanoseconds
    cpu_ns: Nanoseconds | None
    sampled_share: float | None
    frames: list[ProfileFrame]
    frames_left_out: int
    functions: list[ProfileFunction]
    operations: list[ProfileOperation]


def profile(session: QuerySession, question: ProfileQuestion, limit: int) -> ProfileAnswer:
    """Answer ``GET /api/v1/profiles``."""
    found = read_profile(session, question)
    frames, times = fold_stacks(_weighed(found, question.measure))
    # a frame comes before those below it, and has at least their time
    shown = heaviest([frame for frame in frames if frame.total], limit, attrgetter("total"))
    cpu_ns = [row["cpu_ns"] for row in found.operations if row["cpu_ns"] is not None]
    return {
        "window": describe(question.window),
        "measure": "cpu" if question.measure == CPU_TIME else "wall",
        "samples": _scaled(sum(row["samples"] for row in found.operations), found),
        "wall_ns": _scaled(sum(row["wall_ns"] for row in found.operations), found),
        "cpu_ns": _scaled(sum(cpu_ns), found) if cpu_ns else None,
        "sampled_share": round(found.share, 6) if found.share < 1 else None,
        "frames": [_frame(frame, found) for frame in shown],
        "frames_left_out": len(frames) - len(shown),
        "functions": _functions(times, found),
        "operations": [_operation(session.service_slot, row, found) for row in found.operations[:_MOST_OPERATIONS]],
    }


def _weighed(found: Profile, measure: str) -> Sequence[tuple[str, int, int]]:
    """Stacks with their samples and times; the time of those that were not read stands beside them."""
    column = "cpu_ns" if measure == CPU_TIME else "wall_ns"
    stacks = [(row["stack"], row["samples"], row[column] or 0) for row in found.stacks]
    others = [sum(row[name] or 0 for row in found.operations) - sum(stack[place] for stack in stacks)
              for place, name in ((1, "samples"), (2, column))]  # fmt: skip
    return [*stacks, ("(other stacks)", max(0, others[0]), others[1])] if others[1] > 0 else stacks


def _frame(frame: Frame, found: Profile) -> ProfileFrame:
    return {
        "depth": frame.depth,
        "module": frame.function.module,
        "function": frame.function.function,
        "file": frame.function.file,
        "line": frame.function.line,
        "slot": _slot(frame.function),
        "samples": _scaled(frame.samples, found),
        "self_ns": _scaled(frame.own, found),
        "total_ns": _scaled(frame.total, found),
    }


def _functions(times: Mapping[Function, Times], found: Profile) -> list[ProfileFunction]:
    """Functions of most time by themselves."""
    ranked = sorted(times.items(), key=lambda pair: (-pair[1].own, -pair[1].total, pair[0]))
    return [
        {
            "module": function.module,
            "function": function.function,
            "file": function.file,
            "line": function.line,
            "slot": _slot(function),
            "samples": _scaled(took.samples, found),
            "self_ns": _scaled(took.own, found),
            "total_ns": _scaled(took.total, found),
        }
        for function, took in ranked[:_MOST_FUNCTIONS]
        if took.total
    ]


def _operation(slot: Callable[[str], int], row: Mapping[str, Any], found: Profile) -> ProfileOperation:
    return {
        "service": row["service"],
        "slot": slot(row["service"]),
        "operation": row["operation"],
        "samples": _scaled(row["samples"], found),
        "wall_ns": _scaled(row["wall_ns"], found),
        "cpu_ns": None if row["cpu_ns"] is None else _scaled(row["cpu_ns"], found),
    }


def _scaled(value: int, found: Profile) -> int:
    """A figure of what was read as one of the whole range."""
    return whole(value if found.share >= 1 else value / found.share)


def _slot(function: Function) -> int:
    """The colour of a function's package, always the same."""
    return zlib.crc32(function.module.partition(".")[0].encode()) % _SLOTS
