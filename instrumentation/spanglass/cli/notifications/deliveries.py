"""``spanglass deliveries``: what was told over which channel, each attempt, and trying again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLUMNS = (
    Column("id", "delivery", style="cyan", whole=True),
    Column("created_at", f"decided ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("channel"),
    Column("reason", rank=2),
    Column("state"),
    Column("attempts", show=show.number, right=True, rank=3),
    Column("took_ns", "took", show.duration, right=True, rank=4),
    Column("title"),
    Column("error", rank=1),
)


def command(argv: Sequence[str]) -> int:
    """List deliveries, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    actions = "|".join(_ACTIONS)
    parser = options.parser(
        "deliveries", f"List what was told, newest first, or act: spanglass deliveries {actions} --help."
    )
    parser.add_argument("--state", help="waiting, sent, failed, digested, several with commas")
    parser.add_argument("--channel", help="only over this channel")
    parser.add_argument("--alert", metavar="ID", help="only those that tell of this alert")
    parser.add_argument("--text", help="only those whose title, reason, error or addresses hold this")
    group = parser.add_argument_group("range of time in which they were decided")
    group.add_argument("--last", metavar="DURATION", help="so far back from now: 15m, 2h, 7d (default: all)")
    group.add_argument("--start", metavar="TIME", help="RFC 3339, Unix time, or now-2h")
    group.add_argument("--end", metavar="TIME", help="the same; default now")
    parser.add_argument("--limit", type=options.positive, default=50, help="how many at most (default 50)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {name: getattr(arguments, name) for name in ("state", "channel", "alert", "text")}
    asked |= options.range_parameters(arguments)
    pages = options.client(arguments).pages("/deliveries", asked, "deliveries", arguments.limit)
    if not emit(arguments.format, _COLUMNS, pages):
        print("spanglass deliveries: none matches", file=sys.stderr)
    return Exit.OK


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("deliveries show", "Show one delivery with all attempts.")
    parser.add_argument("id", help="its id; spanglass deliveries lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    _print(arguments.format, options.client(arguments).get(f"/deliveries/{options.segment(arguments.id)}"))
    return Exit.OK


def _retry(argv: Sequence[str]) -> int:
    parser = options.parser("deliveries retry", "Try deliveries anew, now.")
    parser.add_argument("ids", nargs="+", metavar="ID", help="deliveries; spanglass deliveries lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    tried = [client.send("POST", f"/deliveries/{options.segment(each)}/retry", {}) for each in arguments.ids]
    emit(arguments.format, _COLUMNS, tried)
    return Exit.OK


def _print(form: str, delivery: dict[str, Any]) -> None:
    if form == "ndjson":
        print_json(delivery)
        return
    if form == "csv":
        emit(form, _COLUMNS, [delivery])
        return
    out = console()
    out.line(text(delivery["title"], "bold"))
    to = f" to {', '.join(delivery['addresses'])}" if delivery["addresses"] else ""
    out.line(text(f"{delivery['reason']} over {delivery['channel']}{to}: {delivery['state']}"))
    if delivery["why"]:
        out.line(text(f"why: {delivery['why']}"))
    for attempt in delivery["log"]:
        said = attempt["error"] or attempt["answer"] or ("sent" if attempt["sent"] else "not sent")
        when = f"{show.local_time(attempt['started_at'])} {show.zone()}"
        out.line(text(f"  {attempt['number']}. {when}, {show.duration(attempt['latency_ns'])}: {said}"))
    if delivery["next_at"]:
        out.line(text(f"tried again {show.local_time(delivery['next_at'])} {show.zone()}"))


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"show": _show, "retry": _retry}
