"""What the commands about trends have in common: options of lists, values as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.output import Column
from spanglass.terminal import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

SERIES = (Column("title", "what", style="cyan"), Column("labels", "of", whole=True))


def series_parser(name: str, text: str) -> argparse.ArgumentParser:
    """Make the parser of a command that lists series."""
    parser = options.parser(name, text)
    parser.add_argument("text", nargs="?", metavar="TEXT", help="only series with this in the value of a label")
    parser.add_argument("--quantity", help="only of this quantity, disk for example")
    parser.add_argument("--service", help="only of this service")
    parser.add_argument("--host", help="only of this host")
    parser.add_argument("--limit", type=options.positive, default=50, help="at most so many (default 50)")
    options.add_format(parser)
    return parser


def asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of the API that a list takes."""
    return {name: getattr(arguments, name) for name in ("text", "quantity", "service", "host", "limit")}


def nothing(answer: Mapping[str, Any]) -> str:
    """Say why a list is empty."""
    if not answer["looked"]:
        return "nothing has been looked at yet; measures of hosts and services are read once some are stored"
    return "nothing matches; spanglass trends --kind all lists all series that are watched"


def value_text(value: float | None, unit: str) -> str:
    """Write a value in a base unit."""
    if value is None:
        return ""
    if unit == "ratio":
        return show.percent(value)
    if unit == "bytes":
        return ("-" if value < 0 else "") + show.size(abs(value))
    if unit == "s":
        return ("-" if value < 0 else "") + show.duration(abs(value) * 1e9)
    return f"{show.digits(value)}{unit}"


def labels_text(one: Mapping[str, Any]) -> str:
    """Say which series it is, by the values of its labels."""
    return " ".join(one["labels"].values())


def of_both(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both lists show of a series."""
    per_day = one["slope"]["per_day"]
    sign = "+" if per_day is not None and per_day > 0 else ""
    return {
        "title": one["title"], "labels": labels_text(one), "now": value_text(one["now"], one["unit"]),
        "per_day": sign + value_text(per_day, one["unit"]),
    }  # fmt: skip
