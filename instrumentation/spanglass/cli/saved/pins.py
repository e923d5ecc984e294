"""``spanglass pins``: list pinned traces, pin and unpin them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLUMNS = (
    Column("trace_id", "trace", style="cyan", whole=True),
    Column("service", rank=3),
    Column("name", rank=2),
    Column("duration_ns", "duration", show.duration, right=True),
    Column("span_count", "spans", show.number, right=True, rank=4),
    Column("error_count", "errors", show.number, right=True, rank=5),
    Column("start_time", f"began ({show.zone()})", show.local_time, narrow=show.short_time, rank=1),
    Column("bytes", "size", show.size, right=True, rank=6),
    Column("actor", "pinned by", rank=7),
    Column("note"),
)


def command(argv: Sequence[str]) -> int:
    """List pinned traces, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser(
        "pins", f"List traces that outlive retention; or act: spanglass pins {'|'.join(_ACTIONS)} --help."
    )
    parser.add_argument("--text", help="only those with it in note, name, service, id or who pinned it")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/pins", {"text": arguments.text})
    if not emit(arguments.format, _COLUMNS, answer["pins"]):
        print("spanglass pins: no trace is pinned", file=sys.stderr)
    return Exit.OK


def _add(argv: Sequence[str]) -> int:
    parser = options.parser("pins add", "Pin a trace, so that it outlives retention; or change its note.")
    parser.add_argument("trace", help="its id")
    parser.add_argument("note", nargs="?", default="", help="why it is kept")
    options.add_actor(parser, does="pins it")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    body = {"note": arguments.note, "actor": arguments.actor}
    pinned = options.client(arguments).send("PUT", f"/pins/{options.segment(arguments.trace)}", body)
    emit(arguments.format, _COLUMNS, [pinned])
    return Exit.OK


def _remove(argv: Sequence[str]) -> int:
    parser = options.parser("pins remove", "Unpin traces: they go with the others of their age.")
    parser.add_argument("traces", nargs="+", metavar="TRACE", help="their ids")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for each in arguments.traces:
        client.send("DELETE", f"/pins/{options.segment(each)}", {})
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"add": _add, "remove": _remove}
