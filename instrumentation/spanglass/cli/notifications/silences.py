"""``spanglass silences``: list silences, make one after a look at what it hides, and end them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

_COLUMNS = (
    Column("id", "silence", style="cyan", whole=True),
    Column("state"),
    Column("text", "hides alerts with"),
    Column("hides", "open now", show=show.number, right=True, rank=2),
    Column("ends_at", f"until ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("created_by", "by", rank=1),
    Column("comment", rank=3),
)
_ALERTS = (
    Column("id", "alert", style="cyan", whole=True),
    Column("severity"),
    Column("status"),
    Column("service", rank=1),
    Column("title"),
)


def command(argv: Sequence[str]) -> int:
    """List silences, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    actions = "|".join(_ACTIONS)
    parser = options.parser("silences", f"List silences, or act: spanglass silences {actions} --help.")
    parser.add_argument(
        "--state", choices=("open", "pending", "active", "expired", "all"), default="open", help="default open"
    )
    parser.add_argument("--alert", metavar="ID", help="only those that hide this alert now")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {"state": arguments.state, "alert": arguments.alert, "limit": 1000}
    if not emit(arguments.format, _COLUMNS, options.client(arguments).get("/silences", asked)["silences"]):
        hint = "; --state all lists those that have ended" if arguments.state == "open" else ""
        print(f"spanglass silences: there is none{hint}", file=sys.stderr)
    return Exit.OK


def _add(argv: Sequence[str]) -> int:
    parser = options.parser("silences add", "Silence alerts: nobody is told of those that match all matchers.")
    _add_matchers(parser)
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="how long: 30m, 2h, 1d")
    parser.add_argument("--until", metavar="TIME", help="instead: RFC 3339, Unix time, or now+2h")
    parser.add_argument("--from", dest="start", metavar="TIME", help="begin later: the same")
    parser.add_argument("--comment", required=True, help="why, for others")
    options.add_actor(parser, dest="by")
    parser.add_argument("--dry-run", action="store_true", help="only list the open alerts that it would hide")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    if arguments.dry_run:
        return _hidden(arguments)
    body = {
        "matchers": arguments.matchers,
        "duration": arguments.duration,
        "ends_at": arguments.until,
        "starts_at": arguments.start,
        "comment": arguments.comment,
        "by": arguments.by,
    }
    made = client.post("/silences", {name: value for name, value in body.items() if value is not None})
    emit(arguments.format, _COLUMNS, [made])
    return Exit.OK


def _preview(argv: Sequence[str]) -> int:
    parser = options.parser("silences preview", "List the open alerts that a silence would hide.")
    _add_matchers(parser)
    options.add_format(parser)
    return _hidden(parser.parse_args(argv))


def _hidden(arguments: argparse.Namespace) -> int:
    found = options.client(arguments).post("/silences/preview", {"matchers": arguments.matchers})
    emit(arguments.format, _ALERTS, found["alerts"])
    if arguments.format == "table":
        console().line(text(f"{show.counted(found['total'], 'open alert')} would be hidden"))
    return Exit.OK


def _end(argv: Sequence[str]) -> int:
    parser = options.parser("silences end", "End silences now.")
    parser.add_argument("ids", nargs="+", metavar="ID", help="silences; spanglass silences lists them")
    options.add_actor(parser, dest="by")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    ended: list[Any] = [
        client.send("DELETE", f"/silences/{options.segment(each)}", {}, by=arguments.by) for each in arguments.ids
    ]
    emit(arguments.format, _COLUMNS, ended)
    return Exit.OK


def _add_matchers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "matchers", nargs="+", metavar="MATCHER", help='service="shop", severity!=critical, host=~"web-.*"'
    )


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"add": _add, "preview": _preview, "end": _end}
