"""``spanglass services``: rate, errors and latency of each service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence


def command(argv: Sequence[str]) -> int:
    """Print the services that sent spans."""
    parser = options.parser("services", "List services with rate, errors and latency of their requests.")
    options.add_range(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    answer = client.get("/services", {**options.range_parameters(arguments), "buckets": 30})
    columns = [
        Column("service", style="cyan"),
        Column("requests", show=show.number, right=True),
        Column("rate_per_s", "per second", show.number, right=True, rank=1),
        Column("errors", show=show.number, right=True),
        Column("error_ratio", "error rate", show.percent, right=True, rank=2),
        Column("p50_ns", "p50", show.duration, right=True, rank=3),
        Column("p95_ns", "p95", show.duration, right=True),
        Column("p99_ns", "p99", show.duration, right=True, rank=4),
    ]
    if arguments.format == "table":
        columns.append(Column("series", "requests over time", _requests, rank=5, whole=True))
    if not emit(arguments.format, columns, answer["services"]):
        say_nothing_found("services", "service", client, arguments)
    return Exit.OK


def _requests(series: list[dict[str, Any]] | None) -> str:
    return show.sparkline([point["requests"] for point in series or []])
