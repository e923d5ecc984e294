"""``spanglass alerts``: list alerts, show one, and what people do about them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.client import MONITORING
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

_COLUMNS = (
    Column("id", "alert", style="cyan", whole=True),
    Column("severity"),
    Column("status"),
    Column("created_at", f"since ({show.zone()})", show.local_time, narrow=show.short_time, rank=3),
    Column("service", rank=4),
    Column("host", rank=5),
    Column("count", show=show.number, right=True, rank=6),
    Column("priority", show=show.number, right=True, rank=2),
    Column("title"),
)
#: What people do: the status that it gives, and its help.
_CHANGES = {
    "ack": ("acknowledged", "Say that you take care of alerts."),
    "reopen": ("active", "Take an acknowledgement back."),
    "resolve": ("resolved", "Say that alerts are over."),
    "dismiss": ("dismissed", "Say that alerts were no problems."),
}


def command(argv: Sequence[str]) -> int:
    """List alerts, or do what an action says."""
    action, rest = (argv[0], argv[1:]) if argv else ("list", ())
    if action in _CHANGES:
        return _change(action, rest)
    if action in _ACTIONS:
        return _ACTIONS[action](rest)
    return _list(argv)


def _list(argv: Sequence[str]) -> int:
    actions = "|".join([*_ACTIONS, *_CHANGES])
    parser = options.parser("alerts", f"List alerts, open ones unless said, or act: spanglass alerts {actions} --help.")
    parser.add_argument(
        "--status",
        default="open",
        help="active, acknowledged, resolved, dismissed, several with commas; open (the default), all",
    )
    parser.add_argument("--severity", help="info, warning, error, critical, several with commas")
    parser.add_argument("--service", help="only alerts about this service")
    parser.add_argument("--host", help="only alerts about this host")
    parser.add_argument("--rule", help="only alerts of the rule with this uid")
    parser.add_argument(
        "--part-of", metavar="ID", help="only the parts of this alert's problem; none: one for each problem"
    )
    parser.add_argument("--text", help="only those whose title, description or labels hold this")
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME=VALUE", help="only with this label; repeatable"
    )
    group = parser.add_argument_group("range of time in which they were raised")
    group.add_argument("--last", metavar="DURATION", help="so far back from now: 15m, 2h, 7d (default: all)")
    group.add_argument("--start", metavar="TIME", help="RFC 3339, Unix time, or now-2h")
    group.add_argument("--end", metavar="TIME", help="the same; default now")
    parser.add_argument("--limit", type=options.positive, default=50, help="how many at most (default 50)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    parameters = {
        **options.range_parameters(arguments),
        **{
            name: getattr(arguments, name)
            for name in ("status", "severity", "service", "host", "rule", "part_of", "text")
        },
        "labels": ",".join(arguments.label) or None,
    }
    client = options.client(arguments)
    pages = client.pages("/alerts/", parameters, "alerts", arguments.limit, api=MONITORING)
    if not emit(arguments.format, _COLUMNS, pages):
        print(
            "spanglass alerts: none matches"
            + ("; --status all lists those that are over" * (arguments.status == "open")),
            file=sys.stderr,
        )
    return Exit.OK


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("alerts show", "Show one alert with its history, notes and evidence.")
    parser.add_argument("id", help="its id; spanglass alerts lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    alert = client.get(f"/alerts/{options.segment(arguments.id)}/", api=MONITORING)
    if arguments.format == "table":
        _draw(client, alert)
    elif arguments.format == "ndjson":
        print_json(alert)
    else:
        emit("csv", _COLUMNS, [alert])
    return Exit.OK


def _note(argv: Sequence[str]) -> int:
    parser = options.parser("alerts note", "Write a note on an alert.")
    parser.add_argument("id", help="its id")
    parser.add_argument("text", help="what to say")
    options.add_actor(parser, dest="by", does="says it")
    arguments = parser.parse_args(argv)
    client, body = options.client(arguments), {"text": arguments.text, "by": arguments.by}
    _draw(client, client.send("POST", f"/alerts/{options.segment(arguments.id)}/notes/", body, api=MONITORING))
    return Exit.OK


def _change(action: str, argv: Sequence[str]) -> int:
    status, description = _CHANGES[action]
    parser = options.parser(f"alerts {action}", description)
    parser.add_argument("ids", nargs="+", metavar="ID", help="alerts; spanglass alerts lists them")
    parser.add_argument("--reason", default="", help="why, for the history")
    options.add_actor(parser, dest="by")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client, body = options.client(arguments), {"status": status, "reason": arguments.reason, "by": arguments.by}
    changed = [client.send("PUT", f"/alerts/{options.segment(each)}/", body, api=MONITORING) for each in arguments.ids]
    emit(arguments.format, _COLUMNS, changed)
    return Exit.OK


def _draw(client: Client, alert: dict[str, Any]) -> None:
    out = console()
    out.line(text(alert["title"], "bold"))
    about = ", ".join(f"{name} {alert[name]}" for name in ("service", "host") if alert[name])
    state = "its condition holds" if alert["firing"] else "its condition does not hold" if alert["rule"] else ""
    out.line(text(", ".join(part for part in (alert["severity"], alert["status"], about, state) if part)))
    raised = f"raised {show.local_time(alert['created_at'])} {show.zone()}"
    by = f" by the rule {alert['rule']}" if alert["rule"] else f" by {alert['source']}"
    out.line(text(f"{raised}{by}, {show.counted(alert['count'], 'time')}, priority {alert['priority']}"))
    for line in filter(None, (alert["description"], alert["runbook"])):
        out.line(text(line))
    _section("evidence", _evidence(alert["evidence"]))
    _section("notes", [f"{show.local_time(note['time'])} {note['by']}: {note['text']}" for note in alert["notes"]])
    _section("history", [_entry(entry) for entry in alert["history"]])
    out.line()
    out.line(text(f"{client.url}/alerts/{alert['id']}", "dim"))


def _evidence(evidence: dict[str, Any]) -> list[str]:
    """What evidence says in words; all of it is on the alert's page, and in ndjson."""
    cause = [str(evidence["cause"])] if evidence.get("cause") else []
    clues = [str(clue) for clue in evidence.get("clues", ()) if clue not in cause]
    traces = [_example(example) for example in evidence.get("examples", ())]
    issues = [f"issue {issue['issue']} {issue['title']}" for issue in evidence.get("issues", ())]
    return [*cause, *clues, *traces, *issues]


def _example(example: dict[str, Any]) -> str:
    reason = f", {example['reason']}" if example["reason"] else ""
    took = show.duration(example["duration_ns"])
    return f"{example['role']} trace {example['trace_id']}: {example['operation']}, {took}{reason}"


def _entry(entry: dict[str, Any]) -> str:
    value = f" at {show.digits(entry['value'])}" if entry["value"] is not None else ""
    said = f": {entry['text']}" if entry["text"] else ""
    return f"{show.local_time(entry['time'])} {entry['by']} {entry['kind']}{value}{said}"


def _section(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    out = console()
    out.line()
    out.line(text(title, "bold"))
    for line in lines:
        out.line(text(f"  {line}"))


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"list": _list, "show": _show, "note": _note}
