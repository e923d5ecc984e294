"""``spanglass differences``: what sets some spans apart from others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

#: Options of the command by the API's parameters, with their metavariables and help.
_LOOKED_AT = {
    "filter": ("--filter", "FILTER", "look only at spans that match"),
    "service": ("--service", "NAME", "look only at spans of this service"),
    "operation": ("--operation", "NAME", "look only at spans of this name"),
}
_SELECTED = {
    "selected_min": ("--min-duration", "DURATION", "select spans that took at least this long, such as 500ms"),
    "selected_max": ("--max-duration", "DURATION", "select spans that took at most this long"),
    "selected_start": ("--selected-start", "TIME", "select spans from this time on"),
    "selected_end": ("--selected-end", "TIME", "select spans before this time"),
    "release": ("--release", "VERSION", "select spans from the first one with this service.version on"),
}
_BESIDE = {
    "baseline": ("--beside", "FILTER", "compare with spans that match, not with all others"),
    "baseline_start": ("--beside-start", "TIME", "compare with another time, which begins here"),
    "baseline_end": ("--beside-end", "TIME", "where that time ends"),
}


def command(argv: Sequence[str]) -> int:
    """Print what the selected spans have more, or less, than others; the keys that differ most first."""
    parser = options.parser("differences", "Say what sets some spans apart from others: attributes, by their shares.")
    parser.add_argument("selected", nargs="?", metavar="FILTER", help="select spans that match: 'status:error'")
    for title, table in (("spans that are looked at", _LOOKED_AT), ("selected spans", _SELECTED),
                         ("what they are compared with", _BESIDE)):  # fmt: skip
        group = parser.add_argument_group(title)
        for name, (option, metavar, text) in table.items():
            group.add_argument(option, dest=name, metavar=metavar, help=text)
    options.add_range(parser)
    parser.add_argument("--limit", type=options.positive, default=30, help="most keys (default 30)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    named = {name: getattr(arguments, name) for name in ("selected", *_LOOKED_AT, *_SELECTED, *_BESIDE)}
    answer = options.client(arguments).get(
        "/differences", {**options.range_parameters(arguments), **named, "limit": arguments.limit}
    )
    return _show(arguments, answer)


def _show(arguments: argparse.Namespace, answer: Mapping[str, Any]) -> int:
    if arguments.format == "table":
        print(f"selected: {_group(answer['selected'])}", f"others:   {_group(answer['baseline'])}", "", sep="\n")
    keys = answer["keys"] if arguments.format == "ndjson" else _rows(answer["keys"])
    found = emit(
        arguments.format,
        (
            Column("filter", "spans with", style="cyan"),
            Column("selected_share", "selected", show.percent, right=True, whole=True),
            Column("baseline_share", "others", show.percent, right=True, whole=True),
            Column("lift", "times", lambda lift: "" if lift is None else show.digits(lift), right=True, rank=1),
            Column("difference", "differ by at least", show.percent, right=True, rank=2),
            Column("alike", "also", rank=3),
        ),
        keys,
    )
    if not found:
        print(f"spanglass differences: {_nothing(answer)}", file=sys.stderr)
    elif not answer["certain"]:
        print("spanglass differences: few spans are selected: this is likely, but could be chance", file=sys.stderr)
    return Exit.OK


def _rows(keys: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each value; keys that are alike stand beside the first."""
    for key in keys:
        for place, value in enumerate(key["values"]):
            alike = ", ".join(each["key"] for each in key["alike"]) if place == 0 else ""
            yield {**value, "key": key["key"], "alike": alike}


def _group(group: Mapping[str, Any]) -> str:
    took = "" if group["p50_ns"] is None else (
        f", half of them over {show.duration(group['p50_ns'])}, one in twenty over {show.duration(group['p95_ns'])}"
    )  # fmt: skip
    return f"{show.counted(group['spans'], 'span')}, {show.number(group['errors'])} failed{took}"


def _nothing(answer: Mapping[str, Any]) -> str:
    for group, what in (("selected", "no span is selected"), ("baseline", "there are no other spans")):
        if not answer[group]["spans"]:
            return f"{what} in this range of time; look further back with --last 7d, or widen the selection"
    return terminal_text(f"none of {show.counted(answer['compared'], 'key')} differs by more than chance")
