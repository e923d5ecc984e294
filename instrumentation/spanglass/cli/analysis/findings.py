"""``spanglass findings``: list performance findings, show one, dismiss it or open it again."""

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

_STATES = ("open", "dismissed", "all")
_COLUMNS = (
    Column("id", right=True, style="cyan", whole=True),
    Column("title", "finding", whole=True),
    Column("service", rank=1),
    Column("operation", rank=2),
    Column("cost_per_day_ns", "costs a day", show.duration, right=True),
    Column("hits", show=show.number, right=True, rank=3),
    Column("requests", "of requests", show.number, right=True, rank=5),
    Column("confidence", show=show.percent, right=True, rank=4),
    Column("last_time", f"last seen ({show.zone()})", show.local_time, narrow=show.short_time, rank=6),
    Column("subject"),
)
_EVIDENCE = (
    Column("trace_id", "trace", style="cyan", whole=True),
    Column("start_time", f"began ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("calls", show=show.number, right=True),
    Column("cost_ns", "costs", show.duration, right=True),
    Column("duration_ns", "request", show.duration, right=True),
)
_GROWN = (
    Column("instance", "process", style="cyan", whole=True),
    Column("host", rank=2),
    Column("pid", rank=1),
    Column("since", f"grows since ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("from_bytes", "from", show.size, right=True),
    Column("to_bytes", "to", show.size, right=True),
    Column("bytes_per_hour", "an hour", show.size, right=True),
    Column("release", rank=3),
)


def command(argv: Sequence[str]) -> int:
    """List findings, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser(
        "findings",
        "List what makes requests slow and can be mended, what costs most first; or act: "
        f"spanglass findings {'|'.join(_ACTIONS)} --help.",
    )
    parser.add_argument("--service", help="only of this service")
    parser.add_argument("--operation", help="only of requests of this name")
    parser.add_argument("--kind", help="only of this pattern, n_plus_one for example")
    parser.add_argument("--state", choices=_STATES, default="open", help="default: open")
    parser.add_argument("--limit", type=int, default=100, help="at most so many (default: 100)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {name: getattr(arguments, name) for name in ("service", "operation", "kind", "state", "limit")}
    answer = options.client(arguments).get("/findings", asked)
    if not emit(arguments.format, _COLUMNS, answer["findings"]):
        print("spanglass findings: nothing was found", file=sys.stderr)
    return Exit.OK


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("findings show", "Show one finding: what was seen, what to do, traces that show it.")
    parser.add_argument("id", help="its id; spanglass findings lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    one = client.get(f"/findings/{options.segment(arguments.id)}")
    leak = one.get("leak")  # a server of another version knows none
    if arguments.format == "ndjson":
        print_json(one)
    elif arguments.format == "csv" and leak:
        emit("csv", _GROWN, leak["grown"])
    elif arguments.format == "csv":
        emit("csv", _EVIDENCE, one["evidence"])
    else:
        _draw(one, client.url)
    return Exit.OK


def _draw(one: dict[str, Any], url: str) -> None:
    out, leak = console(), one.get("leak")
    out.line(
        text(terminal_text(f"{one['title']}: {'processes' if leak else one['operation']} of {one['service']}"), "bold")
    )
    out.line(text(terminal_text(one["subject"]), "cyan"))
    out.line(text(terminal_text(f"{one['seen']} {one['advice']}")))
    figures = (
        f"{len(leak['grown'])} of {leak['processes']} processes, confidence {show.percent(one['confidence'])}"
        if leak
        else f"costs {show.duration(one['cost_per_day_ns'])} a day, {show.number(one['hits'])} of "
        f"{show.number(one['requests'])} requests in 24 hours, confidence {show.percent(one['confidence'])}"
    )
    out.line(text(figures))
    if one["dismissed"]:
        out.line(text(terminal_text(f"dismissed by {one['dismissed']['actor']}: {one['dismissed']['reason']}"), "dim"))
    emit("table", *((_GROWN, leak["grown"]) if leak else (_EVIDENCE, one["evidence"])))
    out.line(text(f"{url}/findings/{one['id']}", "dim"))


def _change(action: str, state: str, argv: Sequence[str]) -> int:
    does = "Say of findings that there is nothing to do." if state == "dismissed" else "Open findings again."
    parser = options.parser(f"findings {action}", does)
    parser.add_argument("ids", nargs="+", metavar="ID", help="their ids")
    if state == "dismissed":
        parser.add_argument("--reason", required=True, help="why, for those who see it later")
    options.add_actor(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    body = {"state": state, "actor": arguments.actor}
    if state == "dismissed":
        body["reason"] = arguments.reason
    changed = [client.send("PATCH", f"/findings/{options.segment(each)}", body) for each in arguments.ids]
    emit(arguments.format, _COLUMNS, changed)
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "dismiss": lambda argv: _change("dismiss", "dismissed", argv),
    "reopen": lambda argv: _change("reopen", "open", argv),
}
