"""``spanglass traces``: trace search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence

SORTS = ("time", "duration", "spans", "errors")


def command(argv: Sequence[str]) -> int:
    """Print the traces that have a span that matches the filter, newest first."""
    parser = options.parser("traces", "Search traces: those with at least one span that matches the filter.")
    parser.add_argument("filter", nargs="?", help="such as: service.name = checkout and duration > 500ms")
    options.add_range(parser)
    parser.add_argument("--sort", choices=SORTS, help="largest or newest first (default time)")
    parser.add_argument("--reverse", action="store_true", help="smallest or oldest first")
    parser.add_argument("--min-duration", metavar="DURATION", help="such as 150ms")
    parser.add_argument("--max-duration", metavar="DURATION", help="such as 2s")
    parser.add_argument("--limit", type=options.positive, default=20, help="how many at most (default 20)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    parameters = {
        **options.range_parameters(arguments),
        "filter": arguments.filter,
        "sort": arguments.sort,
        "order": "asc" if arguments.reverse else None,
        "min_duration": arguments.min_duration,
        "max_duration": arguments.max_duration,
    }
    client = options.client(arguments)
    found = emit(
        arguments.format,
        (
            Column("start_time", f"started ({show.zone()})", show.local_time, narrow=show.short_time, whole=True),
            Column("trace_id", "trace", style="cyan", narrow=_short_id, whole=True),
            Column("root_service", "service"),
            Column("root_operation", "operation"),
            Column("duration_ns", "duration", show.duration, right=True),
            Column("span_count", "spans", show.number, right=True),
            Column("error_count", "errors", show.number, right=True),
            Column("services", "services", _services, rank=1),
        ),
        client.pages("/traces", parameters, "traces", arguments.limit),
    )
    if not found:
        say_nothing_found("traces", "span", client, arguments)
    return Exit.OK


def _short_id(trace_id: str) -> str:
    """Return so much of an id as ``spanglass trace`` needs to find it again."""
    return trace_id[:8]


def _services(services: list[dict[str, Any]]) -> str:
    return ", ".join(str(entry["service"]) for entry in services)
