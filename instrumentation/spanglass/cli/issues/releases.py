"""``spanglass releases``: releases of services with their issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence


def command(argv: Sequence[str]) -> int:
    """Print releases, by service the newest first."""
    parser = options.parser("releases", "List releases with their issues, and how many requests went well.")
    parser.add_argument("service", nargs="?", help="only releases of this service")
    options.add_range(parser)
    parser.add_argument("--limit", type=options.positive, default=10, help="how many of a service (default 10)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    parameters = {
        **options.range_parameters(arguments),
        "service": arguments.service,
        "limit": min(arguments.limit, 1000),
    }
    answer = options.client(arguments).get("/releases", parameters)
    emit(
        arguments.format,
        (
            Column("service"),
            Column("release", style="cyan"),
            Column("first_seen_time", f"first seen ({show.zone()})", show.local_time),
            Column("new_issues", "new", show.number, right=True),
            Column("regressed_issues", "regressed", show.number, right=True),
            Column("resolved_issues", "resolved", show.number, right=True),
            Column("requests", show=show.number, right=True),
            Column("crash_free_share", "crash-free", show.percent, right=True),
            Column("crash_free_share_before", "before", show.percent, right=True),
        ),
        answer["releases"],
    )
    return Exit.OK
