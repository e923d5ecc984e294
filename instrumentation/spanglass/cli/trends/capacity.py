"""``spanglass capacity``: what is used up, and when."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.cli.trends.texts import SERIES, asked, nothing, of_both, series_parser, value_text
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CAPACITY = (
    *SERIES,
    Column("now", right=True),
    Column("bound", rank=2),
    Column("full", f"meets it ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("earliest", "at the earliest", show.local_time, narrow=show.short_time, rank=1),
    Column("latest", "at the latest", show.local_time, narrow=show.short_time, rank=2),
    Column("per_day", "a day", right=True, rank=3),
)


def command(argv: Sequence[str]) -> int:
    """List what can be used up."""
    parser = series_parser("capacity", "List what can be used up or meets a bound, what does so soonest first.")
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/capacity", asked(arguments))
    rows = answer["capacity"] if arguments.format == "ndjson" else [_bounded(one) for one in answer["capacity"]]
    if not emit(arguments.format, _CAPACITY, rows):
        print(f"spanglass capacity: {nothing(answer)}", file=sys.stderr)
    return Exit.OK


def _bounded(one: Mapping[str, Any]) -> dict[str, Any]:
    met = one["met"]
    times = {"full": met["expected_time"], "earliest": met["earliest_time"], "latest": met["latest_time"]}
    whose = f", {one['bound_of']}" if one.get("bound_of") else ""
    return {**of_both(one), **times, "bound": f"{value_text(one['bound'], one['unit'])}{whose}"}
