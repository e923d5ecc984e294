"""``spanglass anomalies``: what is unusual for its time; one of them; what is fine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.cli.trends.texts import value_text
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_STATES = ("open", "lately", "fine", "all")
_KINDS = ("requests", "failures", "duration", "metric", "logs")
_COLUMNS = (
    Column("id", right=True, style="cyan", whole=True),
    Column("kind_title", "what"),
    Column("title", "of", whole=True),
    Column("was", right=True),
    Column("usual", right=True),
    Column("surprise", show=show.digits, right=True, rank=2),
    Column("impact", "of all requests", show.percent, right=True, rank=1),
    Column("start_time", f"began ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("state", rank=3),
)
_DIFFERENCES = (
    Column("key", style="cyan"),
    Column("filter", whole=True),
    Column("selected_share", "of these", show.percent, right=True),
    Column("baseline_share", "of others", show.percent, right=True),
)
_FEEDBACK = (
    Column("id", right=True, style="cyan", whole=True),
    Column("kind"),
    Column("title", "of", whole=True),
    Column("reason"),
    Column("actor", "by"),
    Column("made_time", f"said ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("until_time", "until", show.local_time, narrow=show.short_time),
    Column("holds"),
)


def command(argv: Sequence[str]) -> int:
    """List anomalies, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser(
        "anomalies",
        "List what is unusual for its time, the most important first; or act: "
        f"spanglass anomalies {'|'.join(_ACTIONS)} --help.",
    )
    parser.add_argument("text", nargs="?", metavar="TEXT", help="only with this in the title or a label")
    parser.add_argument("--state", choices=_STATES, default="lately", help="default: lately, a day back")
    parser.add_argument("--kind", choices=_KINDS, help="only of this kind")
    parser.add_argument("--service", help="only of this service")
    parser.add_argument("--operation", help="only of requests of this name")
    parser.add_argument("--limit", type=options.positive, default=50, help="at most so many (default: 50)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {name: getattr(arguments, name) for name in ("text", "state", "kind", "service", "operation", "limit")}
    answer = options.client(arguments).get("/anomalies", asked)
    found = answer["anomalies"]
    rows = found if arguments.format == "ndjson" else [_row(one) for one in found]
    if not emit(arguments.format, _COLUMNS, rows):
        print(f"spanglass anomalies: {_nothing(answer)}", file=sys.stderr)
    return Exit.OK


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    unit = one["unit"]
    usual = f"{value_text(one['low'], unit)} to {value_text(one['high'], unit)}"
    return {**one, "was": value_text(one["value"], unit), "usual": usual}


def _nothing(answer: Mapping[str, Any]) -> str:
    """Say why a list is empty."""
    if not answer["enabled"]:
        return "nothing is watched: anomalies.enabled is off in the server's settings"
    if answer.get("ready_time"):
        return f"nothing is told before three hours of data are there: {show.local_time(answer['ready_time'])}"
    if not any(one["is_ready"] for one in answer["watching"]):
        return "what is usual is not known yet: three hours of data are needed, and some minutes to read them"
    return "nothing is unusual"


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("anomalies show", "Show one: what was usual, what its requests have in common, traces.")
    parser.add_argument("id", help="its id; spanglass anomalies lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    one = client.get(f"/anomalies/{options.segment(arguments.id)}")
    differences = [{"key": key["key"], **key["values"][0]} for key in one["differences"]]
    if arguments.format == "ndjson":
        print_json(one)
    elif arguments.format == "csv":
        emit("csv", _DIFFERENCES, differences)
    else:
        _draw(one, differences, client.url)
    return Exit.OK


def _draw(one: dict[str, Any], differences: list[dict[str, Any]], url: str) -> None:
    out, row = console(), _row(one)
    out.line(text(terminal_text(f"{one['kind_title']}: {one['title']}"), "bold"))
    ended = "" if one["end_time"] is None else f" to {show.local_time(one['end_time'])}"
    out.line(text(f"{row['was']}, usually {row['usual']}; {show.local_time(one['start_time'])}{ended}"))
    if one["compared"] and differences:
        out.line(text(terminal_text(one["compared"]), "dim"))
        emit("table", _DIFFERENCES, differences)
    for trace in one["traces"]:
        out.line(text(terminal_text(f"{url}/traces/{trace['trace_id']}")))
    out.line(text(f"{url}/anomalies/{one['id']}", "dim"))


def _fine(argv: Sequence[str]) -> int:
    parser = options.parser("anomalies fine", "Say that this is fine: it is not told of for that series again.")
    parser.add_argument("id", help="its id")
    parser.add_argument("--reason", required=True, help="why, for those who miss it later")
    parser.add_argument("--until", help="until when, now+7d for example (default: for good)")
    options.add_actor(parser, does="says so")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    body = {"reason": arguments.reason, "actor": arguments.actor}
    if arguments.until:
        body["until"] = arguments.until
    said = options.client(arguments).send("POST", f"/anomalies/{options.segment(arguments.id)}/fine", body)
    emit(arguments.format, _FEEDBACK, [said])
    return Exit.OK


def _feedback(argv: Sequence[str]) -> int:
    parser = options.parser("anomalies feedback", "List what people said is fine, or take one back.")
    parser.add_argument("--undo", metavar="ID", help="tell of this one again")
    options.add_actor(parser, does="takes it back")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    if arguments.undo:
        path = f"/anomaly-feedback/{options.segment(arguments.undo)}?actor={options.segment(arguments.actor)}"
        answer = client.send("DELETE", path, {})
    else:
        answer = client.get("/anomaly-feedback")
    if not emit(arguments.format, _FEEDBACK, answer["feedback"]):
        print("spanglass anomalies: nobody said that something is fine", file=sys.stderr)
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"show": _show, "fine": _fine, "feedback": _feedback}
