"""``spanglass trends``: what rises, falls or jumped."""

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

_KINDS = ("any", "rising", "falling", "shifted", "seasonal", "all")
_TRENDS = (
    *SERIES,
    Column("now", right=True),
    Column("per_day", "a day", right=True),
    Column("confidence", show=show.percent, right=True, rank=3),
    Column("season", rank=4),
    Column("jump", rank=2),
    Column("expected", "expected", right=True),
    Column("between", rank=1),
)


def command(argv: Sequence[str]) -> int:
    """List series that rise, fall or jumped."""
    parser = series_parser("trends", "List what rises, falls or jumped, the most important first.")
    parser.add_argument("--kind", choices=_KINDS, default="any", help="what is told of them (default: any)")
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/trends", {**asked(arguments), "kind": arguments.kind})
    rows = answer["trends"] if arguments.format == "ndjson" else [_trend(one) for one in answer["trends"]]
    if not emit(arguments.format, _TRENDS, rows):
        print(f"spanglass trends: {nothing(answer)}", file=sys.stderr)
    return Exit.OK


def _trend(one: Mapping[str, Any]) -> dict[str, Any]:
    unit, ahead, season = one["unit"], one["forecast"], one["season"]
    jump = max(one["shifts"], key=lambda shift: shift["time"], default=None)
    return {
        **of_both(one),
        "confidence": one["slope"]["confidence"],
        "season": show.duration(season["period_s"] * 1e9) if season else "",
        "jump": "" if jump is None else f"{value_text(jump['before'], unit)} to {value_text(jump['after'], unit)}",
        "expected": "" if ahead is None else value_text(ahead["expected"], unit),
        "between": "" if ahead is None else f"{value_text(ahead['low'], unit)} to {value_text(ahead['high'], unit)}",
    }
