"""What a search that finds nothing says on stderr: what was looked at, and keys that may be misspelled."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spanglass.cli.errors import CliError
from spanglass.cli.options import range_parameters
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse

    from spanglass.cli.client import Client

#: The API's signal by what a command lists.
_SIGNALS = {"span": "spans", "log record": "logs"}


def say_nothing_found(command: str, what: str, client: Client, arguments: argparse.Namespace) -> None:
    """Say that no ``what`` was found; of a filter also which of its keys no record has."""
    filter_text = getattr(arguments, "filter", None)
    searched = filter_text or getattr(arguments, "prefix", None) or getattr(arguments, "service", None)
    lines = [f"no {what} {'matches' if searched else 'is stored'} in {_range(arguments)}"]
    if filter_text and what in _SIGNALS:
        lines += _unknown(client, what, {**range_parameters(arguments), "filter": filter_text})
    if len(lines) == 1:
        lines.append("look further back with --last 7d" + (", or widen the filter" if filter_text else ""))
    print(f"spanglass {command}: {lines[0]}", *(f"  {line}" for line in lines[1:]), sep="\n", file=sys.stderr)


def _range(arguments: argparse.Namespace) -> str:
    if arguments.start or arguments.end:
        return "this range of time"
    return f"the last {terminal_text(arguments.last)}" if arguments.last else "the last hour"


def _unknown(client: Client, what: str, parameters: dict[str, str | None]) -> list[str]:
    try:
        found = client.get("/filter/unknown", {**parameters, "signal": _SIGNALS[what]})["unknown"]
    except CliError:  # the search itself was answered; this is only a help
        return []
    return [_sentence(what, each["key"], each["nearest"]) for each in found]


def _sentence(what: str, key: str, nearest: list[str]) -> str:
    meant = f"; did you mean {' or '.join(map(terminal_text, nearest))}?" if nearest else ""
    return f"no {what} has a key {terminal_text(key)}{meant}"
