"""The lines around the log records that ``spanglass logs`` finds, as grep shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass.cli import options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from spanglass.cli.client import Client

SAME = ("stream", "service", "host", "trace", "all")
#: Records around which lines are shown: each is a question of its own.
_MOST_RECORDS = 200


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for lines around records."""
    parser.add_argument("-B", "--before", type=options.not_negative, help="lines to show before each record")
    parser.add_argument("-A", "--after", type=options.not_negative, help="lines to show after each record")
    parser.add_argument("-C", "--context", type=options.not_negative, help="lines to show before and after each record")
    parser.add_argument("--same", choices=SAME, default="stream", help="what they have in common with it (stream)")


def is_wanted(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> bool:
    """Return whether lines around records are asked for; options that cannot stand beside that end the command."""
    if all(count is None for count in (arguments.before, arguments.after, arguments.context)):
        return False
    if arguments.follow:
        parser.error("--follow shows lines as they come; leave out --before, --after and --context")
    arguments.limit = min(arguments.limit, _MOST_RECORDS)
    return True


def groups(
    client: Client, arguments: argparse.Namespace, records: Sequence[dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the lines of each record that were not shown yet, itself marked as ``hit``; what touches is one group."""
    hits = {record["id"] for record in records}
    asked = {
        name: arguments.context or 0 if count is None else count
        for name, count in (("before", arguments.before), ("after", arguments.after))
    }
    shown: set[str] = set()
    group: list[dict[str, Any]] = []
    for record in records:
        path = f"/logs/{quote(record['id'], safe='')}/around"
        around = client.get(path, {**asked, "same": arguments.same})
        lines = [*around["before"], around["log"], *around["after"]]
        new = [{**line, "hit": line["id"] in hits} for line in lines if line["id"] not in shown]
        if group and len(new) == len(lines):
            yield group
            group = []
        group += new
        shown.update(line["id"] for line in new)
    if group:
        yield group


def show(parts: Iterator[list[dict[str, Any]]], show_records: Callable[[Any], None], between: str | None) -> None:
    """Show groups, with a line between two of them."""
    for place, group in enumerate(parts):
        if place and between:
            print(between, flush=True)
        show_records(group)
