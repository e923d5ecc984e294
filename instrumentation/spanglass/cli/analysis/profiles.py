"""``spanglass profiles``: which functions threads were in, as the profiler of applications tells it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text
from spanglass.terminal.tree import branches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: What is listed: the key in the answer.
_LISTED = {"functions": "functions", "tree": "frames", "operations": "operations"}
_ASKED = ("filter", "service", "operation", "trace_id", "span_id")


def command(argv: Sequence[str]) -> int:
    """Print functions by the time that threads spent in them, the tree of calls, or operations."""
    parser = options.parser(
        "profiles", "Say which functions threads were in, of services, operations, a trace, a span."
    )
    parser.add_argument("filter", nargs="?", metavar="FILTER", help="only stacks that match: 'thread.name:worker*'")
    parser.add_argument("--service", metavar="NAME", help="only of this service")
    parser.add_argument("--operation", metavar="NAME", help="only of requests, tasks or spans of this name")
    parser.add_argument("--trace", dest="trace_id", metavar="ID", help="only of this trace")
    parser.add_argument("--span", dest="span_id", metavar="ID", help="only of this span of the trace, and all below it")
    parser.add_argument("--cpu", action="store_true", help="count time on a processor, not all time")
    parser.add_argument(
        "--show", choices=tuple(_LISTED), default="functions", help="what is listed (default functions)"
    )
    options.add_range(parser)
    parser.add_argument("--limit", type=options.positive, default=40, help="most lines (default 40)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {name: getattr(arguments, name) for name in _ASKED}
    answer = options.client(arguments).get(
        "/profiles",
        {
            **options.range_parameters(arguments),
            **asked,
            "measure": "cpu" if arguments.cpu else "wall",
            "limit": arguments.limit if arguments.show == "tree" else 1,
        },
    )
    rows, columns = _SHOWN[arguments.show](answer, arguments.format)
    if not emit(arguments.format, columns, rows[: arguments.limit]):
        print(f"spanglass profiles: {_nothing(is_narrowed=any(asked.values()))}", file=sys.stderr)
    elif answer["sampled_share"] is not None:
        print(
            f"spanglass profiles: estimated from {show.percent(answer['sampled_share'])} of the range", file=sys.stderr
        )
    return Exit.OK


_Shown = tuple[list[dict[str, Any]], tuple[Column, ...]]


def _functions(answer: Mapping[str, Any], form: str) -> _Shown:
    del form
    return _with_shares(answer["functions"], answer), (
        Column("function"),
        Column("module", style="cyan", rank=1),
        *_TIMES,
        Column("file", rank=3),
        Column("line", right=True, rank=3),
    )


def _tree(answer: Mapping[str, Any], form: str) -> _Shown:
    frames = _with_shares(answer["frames"], answer)
    if form == "table":
        for frame, (before, _) in zip(frames, branches([frame["depth"] for frame in frames]), strict=True):
            frame["function"] = before + frame["function"]
    return frames, (Column("function"), Column("module", style="cyan", rank=1), *_TIMES)


def _operations(answer: Mapping[str, Any], form: str) -> _Shown:
    del form
    return answer["operations"], (
        Column("service", style="cyan"),
        Column("operation", show=lambda name: terminal_text(name) if name is not None else "(no span)"),
        Column("wall_ns", "time", show.duration, right=True),
        Column("cpu_ns", "on a processor", show.duration, right=True),
        Column("samples", show=show.number, right=True, rank=1),
    )


_TIMES = (
    Column("share", "share", show.percent, right=True),
    Column("self_ns", "itself", show.duration, right=True),
    Column("total_ns", "with calls", show.duration, right=True),
    Column("samples", show=show.number, right=True, rank=2),
)
_SHOWN: dict[str, Callable[[Mapping[str, Any], str], _Shown]] = {
    "functions": _functions,
    "tree": _tree,
    "operations": _operations,
}


def _with_shares(rows: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows with the share of all time that they took themselves."""
    whole_ns = answer[f"{answer['measure']}_ns"] or 1
    return [{**row, "share": row["self_ns"] / whole_ns} for row in rows]


def _nothing(*, is_narrowed: bool) -> str:
    lines = "no stacks match in this range of time" if is_narrowed else "no stacks are stored in this range of time"
    return f"{lines}\n  the profiler of an application is off unless SPANGLASS_PROFILER=1 is set"
