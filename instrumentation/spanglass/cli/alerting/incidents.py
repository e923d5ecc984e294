"""``spanglass incidents``: list incidents, show one, open one, and what people do in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.alerting.incident_reports import postmortem, report, took
from spanglass.cli.client import MONITORING
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    _Brief: TypeAlias = Callable[[dict[str, Any]], str]

_COLUMNS = (
    Column("id", "incident", style="cyan", whole=True),
    Column("severity"),
    Column("status"),
    Column("started_at", f"since ({show.zone()})", show.local_time, narrow=show.short_time, rank=3),
    Column("alert_count", "alerts", show=show.number, right=True, rank=5),
    Column("open_count", "open", show=show.number, right=True, rank=6),
    Column("lead", rank=4),
    Column("title"),
)
#: What people do: the status that it gives, and its help.
_CHANGES = {
    "ack": ("acknowledged", "Say that you see to incidents; their alerts are acknowledged too."),
    "recover": ("recovered", "Say that the effects of incidents have ended."),
    "resolve": ("resolved", "Say that incidents are over; their open alerts are resolved too."),
    "dismiss": ("dismissed", "Say that incidents were none; their open alerts are dismissed too."),
    "reopen": ("open", "Go on with incidents that were over, or that nobody sees to any longer."),
}


def command(argv: Sequence[str]) -> int:
    """List incidents, or do what an action says."""
    action, rest = (argv[0], argv[1:]) if argv else ("list", ())
    if action in _CHANGES:
        return _change(action, rest)
    if action in _ACTIONS:
        return _ACTIONS[action](rest)
    return _list(argv)


def _list(argv: Sequence[str]) -> int:
    actions = "|".join([*_ACTIONS, *_CHANGES])
    help_text = f"List incidents, those that go on unless said, or act: spanglass incidents {actions} --help."
    parser = options.parser("incidents", help_text)
    parser.add_argument(
        "--status",
        default="live",
        help="open, acknowledged, recovered, resolved, dismissed, several with commas; live (the default), over, all",
    )
    parser.add_argument("--severity", help="info, warning, error, critical, several with commas")
    parser.add_argument("--service", help="only incidents about this service")
    parser.add_argument("--rule", help="only those with an alert of the rule with this uid")
    parser.add_argument("--alert", metavar="ID", help="only the one that has this alert")
    parser.add_argument("--text", help="only those whose id, title, cause, resolution or people hold this")
    group = parser.add_argument_group("range of time in which they were opened")
    group.add_argument("--last", metavar="DURATION", help="so far back from now: 15m, 2h, 7d (default: all)")
    group.add_argument("--start", metavar="TIME", help="RFC 3339, Unix time, or now-2h")
    group.add_argument("--end", metavar="TIME", help="the same; default now")
    parser.add_argument("--limit", type=options.positive, default=50, help="how many at most (default 50)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    names = ("status", "severity", "service", "rule", "alert", "text")
    parameters = {**options.range_parameters(arguments), **{name: getattr(arguments, name) for name in names}}
    pages = options.client(arguments).pages("/incidents/", parameters, "incidents", arguments.limit, api=MONITORING)
    if not emit(arguments.format, _COLUMNS, pages):
        more = "; --status all lists those that are over" * (arguments.status == "live")
        print(f"spanglass incidents: none matches{more}", file=sys.stderr)
    return Exit.OK


def _parser(action: str, description: str) -> argparse.ArgumentParser:
    parser = options.parser(f"incidents {action}", description)
    options.add_actor(parser, dest="by")
    options.add_format(parser)
    return parser


def _path(incident_id: str, below: str = "") -> str:
    return f"/incidents/{options.segment(incident_id)}/{below}"


def _written(arguments: argparse.Namespace, incident: dict[str, Any], brief: _Brief | None = None) -> int:
    """Write one incident in the format that was asked for; for people only a ``brief`` line of it, if one is given."""
    if arguments.format == "table" and brief is not None:
        console().line(text(brief(incident)))
    elif arguments.format == "table":
        _draw(incident, options.client(arguments).url)
    elif arguments.format == "ndjson":
        print_json(incident)
    else:
        emit("csv", _COLUMNS, [incident])
    return Exit.OK


def _send(
    arguments: argparse.Namespace, method: str, path: str, body: dict[str, Any], brief: _Brief | None = None
) -> int:
    given = {name: value for name, value in body.items() if value not in (None, "", [])}
    answer = options.client(arguments).send(method, path, {**given, "by": arguments.by}, api=MONITORING)
    return _written(arguments, answer, brief)


def _show(argv: Sequence[str]) -> int:
    parser = _parser("show", "Show one incident with its alerts, steps, timeline, and past ones like it.")
    parser.add_argument("id", help="its id; spanglass incidents lists them")
    arguments = parser.parse_args(argv)
    return _written(arguments, options.client(arguments).get(_path(arguments.id), api=MONITORING))


def _open(argv: Sequence[str]) -> int:
    parser = _parser("open", "Open an incident by hand.")
    parser.add_argument("title", help="what is wrong, for whom")
    parser.add_argument("--summary")
    parser.add_argument("--severity", help="info, warning, error, critical (default: that of its alerts, else error)")
    for name, what in (("service", "a service that it is about"), ("alert", "the id of an alert that belongs to it"),
                       ("responder", "somebody who sees to it"), ("step", "something to do")):  # fmt: skip
        parser.add_argument(f"--{name}", action="append", default=[], help=f"{what}; repeatable")
    parser.add_argument("--lead", help="who leads the response")
    parser.add_argument("--runbook", help="an address, the name of a runbook, or its text")
    parser.add_argument("--started", metavar="TIME", help="when its effects began: RFC 3339, Unix time, or now-10m")
    arguments = parser.parse_args(argv)
    plain = {name: getattr(arguments, name) for name in ("title", "summary", "severity", "lead", "runbook")}
    lists = {f"{name}s": getattr(arguments, name) for name in ("service", "alert", "responder", "step")}
    return _send(arguments, "POST", "/incidents/", {**plain, **lists, "started_at": arguments.started})


def _change(action: str, argv: Sequence[str]) -> int:
    status, description = _CHANGES[action]
    parser = _parser(action, description)
    parser.add_argument("ids", nargs="+", metavar="ID", help="incidents; spanglass incidents lists them")
    parser.add_argument("--reason", default="", help="why, for the timeline; of resolve: how it ended")
    if action == "resolve":
        parser.add_argument("--cause", help="what it came from")
    arguments = parser.parse_args(argv)
    body = {"status": status, "reason": arguments.reason, "by": arguments.by}
    if getattr(arguments, "cause", None):
        body["cause"] = arguments.cause
    client = options.client(arguments)
    emit(arguments.format, _COLUMNS, [client.send("PUT", _path(each), body, api=MONITORING) for each in arguments.ids])
    return Exit.OK


def _note(argv: Sequence[str]) -> int:
    parser = _parser("note", "Write a note on an incident.")
    parser.add_argument("id", help="its id")
    parser.add_argument("text", help="what to say")
    arguments = parser.parse_args(argv)
    return _send(arguments, "POST", _path(arguments.id, "notes/"), {"text": arguments.text}, _noted)


def _step(argv: Sequence[str]) -> int:
    parser = _parser("step", "Say that a response step is done, or add one.")
    parser.add_argument("id", help="the incident's id")
    parser.add_argument("step", help="the number of a step that is done, or the text of a new one")
    parser.add_argument("--undo", action="store_true", help="it is not done after all")
    arguments = parser.parse_args(argv)
    if arguments.step.isdecimal():
        done = {"done": not arguments.undo, "by": arguments.by}
        path = _path(arguments.id, f"steps/{arguments.step}/")
        number = int(arguments.step)
        answer = options.client(arguments).send("PUT", path, done, api=MONITORING)
        return _written(arguments, answer, lambda incident: _stepped(incident, number))
    return _send(arguments, "POST", _path(arguments.id, "steps/"), {"text": arguments.step}, _stepped)


def _add(argv: Sequence[str]) -> int:
    parser = _parser("add", "Add alerts to an incident.")
    parser.add_argument("id", help="the incident's id")
    parser.add_argument("alerts", nargs="+", metavar="ALERT", help="ids of alerts")
    parser.add_argument("--reason", default="", help="why they belong there")
    arguments = parser.parse_args(argv)
    body = {"alerts": arguments.alerts, "reason": arguments.reason}
    return _send(arguments, "POST", _path(arguments.id, "alerts/"), body)


def _merge(argv: Sequence[str]) -> int:
    parser = _parser("merge", "Merge an incident into another one, which is shown then.")
    parser.add_argument("id", help="the incident that ends")
    parser.add_argument("--into", required=True, metavar="ID", help="the one that stays")
    parser.add_argument("--reason", default="", help="why")
    arguments = parser.parse_args(argv)
    body = {"into": arguments.into, "reason": arguments.reason}
    return _send(arguments, "POST", _path(arguments.id, "merge/"), body)


def _noted(incident: dict[str, Any]) -> str:
    return f"{incident['id']} {incident['title']}: the note is in its timeline"


def _stepped(incident: dict[str, Any], number: int = 0) -> str:
    """The step that was changed; without a number the last one, which is new."""
    steps = [step for step in incident["steps"] if step["number"] == number] or incident["steps"][-1:]
    return ", ".join([f"{incident['id']} {incident['title']}", *map(_step_line, steps)])


def _draw(incident: dict[str, Any], url: str) -> None:
    out = console()
    out.line(text(f"{incident['id']} {incident['title']}", "bold"))
    lead = f"led by {incident['lead']}" if incident["lead"] else "nobody leads it"
    about = ", ".join([*incident["services"], *incident["hosts"]])
    out.line(text(", ".join(filter(None, (incident["severity"], incident["status"], about, lead)))))
    times = {name: took(value) for name, value in incident["durations"].items() if value is not None}
    began = f"began {show.local_time(incident['started_at'])} {show.zone()}"
    out.line(text(", ".join([began, *(f"to {name} {value}" for name, value in times.items())])))
    for line in filter(None, (incident["summary"], incident["cause"], incident["resolution"], *incident["runbooks"])):
        out.line(text(line))
    titles = {one["id"]: one["title"] for one in incident["alerts"]}
    sections = (
        ("alerts", [f"{one['severity']} {one['status']} {one['title']} ({one['because']})"
                    for one in incident["alerts"]]),
        ("response", [_step_line(step) for step in incident["steps"]]),
        ("similar", [f"{one['id']} {one['title']}: {one['resolution'] or one['cause'] or one['status']} ({one['why']})"
                     for one in incident["similar"]]),
        ("timeline", [_line(line, titles) for line in incident["timeline"]]),
    )  # fmt: skip
    for title, lines in sections:
        if lines:
            out.line()
            out.line(text(title, "bold"))
        for line in lines:
            out.line(text(f"  {line}"))
    out.line()
    out.line(text(f"{url}/incidents/{incident['id']}", "dim"))


def _step_line(step: dict[str, Any]) -> str:
    done = f" ({step['done_by']}, {show.local_time(step['done_at'])})" if step["done_at"] else ""
    return f"{step['number']}. [{'x' if done else ' '}] {step['text']}{done}"


def _line(line: dict[str, Any], titles: dict[str, str]) -> str:
    said = ": ".join(filter(None, (titles.get(line["alert"] or "", ""), line["text"])))
    return f"{show.local_time(line['time'])} {line['by']} {line['kind'].replace('.', ' ')}{': ' * bool(said)}{said}"


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "show": _show,
    "open": _open,
    "note": _note,
    "step": _step,
    "add": _add,
    "merge": _merge,
    "report": report,
    "postmortem": postmortem,
}
