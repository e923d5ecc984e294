"""``spanglass forecast``: what a measure or PromQL is expected to be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.cli.trends.texts import labels_text, value_text
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORECAST = (
    Column("labels", "of", style="cyan", whole=True),
    Column("now", right=True),
    Column("expected", right=True),
    Column("low", right=True),
    Column("high", right=True),
    Column("method", rank=2),
    Column("error", right=True, rank=1),
    Column("met", f"meets the bound ({show.zone()})", show.local_time, narrow=show.short_time, rank=3),
    Column("note"),
)


def command(argv: Sequence[str]) -> int:
    """Forecast the series of a query."""
    parser = options.parser("forecast", "Forecast a measure or PromQL, with an interval that holds 8 times out of 10.")
    parser.add_argument("query", metavar="QUERY", help="a measure such as disk_usage, or PromQL")
    parser.add_argument("--ahead", default="7d", help="how far ahead, 5m to 30d (default 7d)")
    parser.add_argument("--bound", type=float, help="tell when series meet this value")
    parser.add_argument("--below", action="store_true", help="the bound is met from above")
    parser.add_argument("--limit", type=options.positive, default=20, help="at most so many series (default 20)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {
        **{name: getattr(arguments, name) for name in ("query", "ahead", "bound", "limit")},
        "toward": "below" if arguments.below else "above",
    }
    answer = options.client(arguments).get("/forecast", asked)
    unit = answer["unit"]
    rows = answer["series"] if arguments.format == "ndjson" else [_forecast(one, unit) for one in answer["series"]]
    if not emit(arguments.format, _FORECAST, rows):
        print("spanglass forecast: the query has no series; spanglass metrics lists metrics", file=sys.stderr)
    return Exit.OK


def _forecast(one: Mapping[str, Any], unit: str) -> dict[str, Any]:
    known = [value for value in one["values"] if value is not None]
    ends = {name: value_text(one[name][-1], unit) if one[name] else "" for name in ("expected", "low", "high")}
    return {
        **ends,
        "labels": labels_text(one), "now": value_text(known[-1], unit) if known else "", "method": one["method"] or "",
        "error": value_text(one["error"], unit), "met": one["met"]["expected_time"] if one["met"] else None,
        "note": one["reason"] or "",
    }  # fmt: skip
