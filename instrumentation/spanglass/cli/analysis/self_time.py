"""``spanglass self-time``: where the time of spans goes over a range."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.tree import branches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def command(argv: Sequence[str]) -> int:
    """Print operations by their self time, or the paths of calls as a tree."""
    parser = options.parser("self-time", "Say where the time of spans goes: what they took without waiting for others.")
    parser.add_argument("filter", nargs="?", metavar="FILTER", help="count only spans that match: 'service:checkout'")
    parser.add_argument("--service", metavar="NAME", help="only what spans of this service do, and all below them")
    parser.add_argument("--operation", metavar="NAME", help="only what spans of this name do, and all below them")
    parser.add_argument("--paths", action="store_true", help="show the paths of calls, as a tree")
    options.add_range(parser)
    parser.add_argument("--limit", type=options.positive, default=40, help="most operations or paths (default 40)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    asked = {name: getattr(arguments, name) for name in ("filter", "service", "operation")}
    answer = client.get(
        "/self-time",
        {**options.range_parameters(arguments), **asked, "limit": arguments.limit if arguments.paths else 1},
    )
    rows = _paths(answer, arguments.format) if arguments.paths else answer["operations"][: arguments.limit]
    if not emit(arguments.format, _columns(is_tree=arguments.paths), rows):
        say_nothing_found("self-time", "span", client, arguments)
    elif answer["sampled_share"] is not None:
        share = show.percent(answer["sampled_share"])
        print(f"spanglass self-time: estimated from {share} of the spans of the range", file=sys.stderr)
    return Exit.OK


def _columns(*, is_tree: bool) -> tuple[Column, ...]:
    last = (Column("work_ns", "with calls", show.duration, right=True),) if is_tree else ()
    return (
        *(() if is_tree else (Column("service", style="cyan"),)),
        Column("name" if is_tree else "operation"),
        *((Column("service", style="cyan", rank=1),) if is_tree else ()),
        Column("share", "share", show.percent, right=True),
        Column("self_time_ns", "self time", show.duration, right=True),
        *last,
        Column("spans", show=show.number, right=True, rank=2),
        Column("errors", show=show.number, right=True, rank=3),
    )


def _paths(answer: Mapping[str, Any], form: str) -> list[dict[str, Any]]:
    """Paths with their share of all self time; in a table each name stands at its branch of the tree."""
    paths = answer["paths"]
    whole_ns = answer["self_time_ns"] or 1
    shown = [path["name"] for path in paths]
    if form == "table":
        shown = [
            before + name for (before, _), name in zip(branches([path["depth"] for path in paths]), shown, strict=True)
        ]
    return [
        {**path, "name": name, "share": path["self_time_ns"] / whole_ns}
        for path, name in zip(paths, shown, strict=True)
    ]
