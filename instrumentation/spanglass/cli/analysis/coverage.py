"""``spanglass coverage``: which families of telemetry services and hosts send, and what would send the others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = (
    Column("name", style="cyan"),
    Column("family"),
    Column("state"),
    Column("last_time", "last", show.value, rank=1),
    Column("remedy", "a line that sends it", show=lambda remedy: remedy or "", rank=2),
)
_LACKING = frozenset({"missing", "stale"})


def command(argv: Sequence[str]) -> int:
    """List what is missing or stale, or everything."""
    parser = options.parser(
        "coverage", "List the families of telemetry that services and hosts should send and do not."
    )
    parser.add_argument("--all", action="store_true", help="also what is there, and what is not needed")
    parser.add_argument("--limit", type=options.positive, default=500, help="at most so many subjects (default 500)")
    options.add_range(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get(
        "/coverage", {**options.range_parameters(arguments), "limit": arguments.limit}
    )
    families = {family["key"]: family for family in answer["families"]}
    rows = [
        {
            "subject": each["subject"],
            "name": each["name"],
            **cell,
            "remedy": families[cell["family"]]["remedy"] if cell["state"] in _LACKING else None,
        }
        for each in answer["subjects"]
        for cell in each["families"]
        if arguments.all or cell["state"] in _LACKING
    ]
    emit(arguments.format, _COLUMNS, rows)
    if answer["total"] == 0:
        print("spanglass coverage: nothing came in in this range of time; try --last 7d", file=sys.stderr)
    elif arguments.format == "table":
        print(f"{answer['there']} there, {answer['stale']} stale, {answer['missing']} missing", file=sys.stderr)
    return Exit.OK
