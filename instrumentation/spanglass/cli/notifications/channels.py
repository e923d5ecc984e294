"""``spanglass channels``: how channels stand, a test message, and what one would be told of an alert."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLUMNS = (
    Column("name", "channel", style="cyan", whole=True),
    Column("kind"),
    Column("waiting", show=show.number, right=True),
    Column("sent", show=show.number, right=True),
    Column("failed", show=show.number, right=True),
    Column("last_at", f"last ({show.zone()})", show.local_time, narrow=show.short_time, rank=2),
    Column("origin", rank=3),
    Column("error", "last error", rank=1),
)


def command(argv: Sequence[str]) -> int:
    """List channels, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    actions = "|".join(_ACTIONS)
    parser = options.parser(
        "channels", f"List channels with how they stand, or act: spanglass channels {actions} --help."
    )
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    standing = options.client(arguments).get("/notifications")
    rows = [{**row, **{state: row["counts"].get(state, 0) for state in _STATES}} for row in standing["channels"]]
    if not emit(arguments.format, _COLUMNS, rows):
        print("spanglass channels: none is configured", file=sys.stderr)
    for problem in standing["problems"]:
        print(f"spanglass channels: {terminal_text(problem)}", file=sys.stderr)
    return Exit.OK


_STATES = ("waiting", "sent", "failed")


def _test(argv: Sequence[str]) -> int:
    parser = options.parser("channels test", "Send a test message over channels, and say what came of it.")
    parser.add_argument("names", nargs="+", metavar="CHANNEL", help="channels; spanglass channels lists them")
    options.add_actor(parser, dest="by", does="asks")
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")
    arguments = parser.parse_args(argv)
    client, out = options.client(arguments), console()
    failed = False
    for name in arguments.names:
        tested = client.post("/notifications/test", {"channel": name, "by": arguments.by})
        failed = failed or not tested["sent"]
        if arguments.format == "ndjson":
            print_json({"channel": name, **tested})
        elif tested["sent"]:
            out.line(text(f"{name}: sent" + (f" ({tested['answer']})" if tested["answer"] else "")))
        else:
            out.line(text(f"{name}: not sent: {tested['error'] or tested['answer']}"))
    return Exit.FAILED if failed else Exit.OK


def _preview(argv: Sequence[str]) -> int:
    parser = options.parser("channels preview", "Print what a channel would be told of an alert; nothing is sent.")
    parser.add_argument("name", metavar="CHANNEL", help="a channel")
    parser.add_argument("alert", metavar="ALERT", nargs="?", help="the alert's id (default: the newest one)")
    parser.add_argument("--format", choices=("text", "html", "ndjson"), default="text", help="default text")
    arguments = parser.parse_args(argv)
    body: dict[str, Any] = {"channel": arguments.name, **({"alert": arguments.alert} if arguments.alert else {})}
    message = options.client(arguments).post("/notifications/preview", body)
    if arguments.format == "ndjson":
        print_json(message)
        return Exit.OK
    if message["problem"]:
        print(f"spanglass channels: {terminal_text(message['problem'])}", file=sys.stderr)
    lines = [message["title"], "", *message["text"].splitlines()]
    if arguments.format == "html":
        lines = message["html"].splitlines()
    print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"test": _test, "preview": _preview}
