"""``spanglass issue``: one issue with its stack and why it is grouped; and what is done about issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.issues.changes import ACTIONS, act
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.cli.client import Client

_STACK_LINES = 60


def command(argv: Sequence[str]) -> int:
    """Print one issue, or do what an action says."""
    if argv and argv[0] in ACTIONS:
        return act(argv[0], argv[1:])
    parser = options.parser("issue", f"Show one issue, or act: spanglass issue {'|'.join(ACTIONS)} --help.")
    parser.add_argument("id", help="such as CHECKOUT-12; spanglass issues lists them")
    options.add_range(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    path = f"/issues/{options.segment(arguments.id)}"
    issue = client.get(path, options.range_parameters(arguments))
    if arguments.format == "ndjson":
        print_json(issue)
    elif arguments.format == "csv":
        emit("csv", tuple(map(Column, ("id", "state", "events", "users", "last_seen_time", "title"))), [issue])
    else:
        _draw(client, issue, client.get(f"{path}/attributes", options.range_parameters(arguments))["attributes"])
    return Exit.OK


def _draw(client: Client, issue: dict[str, Any], attributes: Sequence[dict[str, Any]]) -> None:
    out = console()
    out.line(text(f"{issue['id']} {issue['title']}", "bold"))
    substate = f" ({issue['substate']})" if issue["substate"] else ""
    assigned = f", assigned to {issue['assignee']}" if issue["assignee"] else ""
    out.line(text(f"{issue['state']}{substate}{assigned}, in {issue['service']}, {issue['culprit'] or show.NOTHING}"))
    first, last = show.local_time(issue["first_seen_time"]), show.local_time(issue["latest_time"])
    counts = f"{show.counted(issue['events'], 'event')} of {show.counted(issue['users'], 'user')} in the range"
    out.line(text(f"{counts}; first seen {first}, last {last} {show.zone()}"))
    _section("latest occurrence", _stack(client, issue["id"]))
    _section("why grouped", _inputs(issue["fingerprint"]["keys"]))
    _section("stands out", [_share(each) for each in attributes])
    _section("activity", [_activity(entry) for entry in issue["activity"]])
    _section("comments", [_comment(comment) for comment in issue["comments"]])
    _section("similar", [f"{other['id']} {other['title']}" for other in issue["similar"]])
    out.line()
    out.line(text(f"{client.url}/issues/{issue['id']}", "dim"))


def _section(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    out = console()
    out.line()
    out.line(text(title, "bold"))
    for line in lines:
        out.line(text(f"  {line}"))


def _stack(client: Client, issue_id: str) -> list[str]:
    """Give the stack of the latest occurrence, its inner end if it is long."""
    occurrences = client.get(f"/issues/{issue_id}/occurrences", {"limit": 1})["occurrences"]
    if not occurrences:
        return ["none is stored any more"]
    latest = client.get(f"/issues/{issue_id}/occurrences/{occurrences[0]['id']}")
    where = f"{show.local_time(latest['time'])}, trace {latest['trace_id'] or show.NOTHING}"
    exception = latest["exception"]
    if exception is None:
        return [where, "the record that told it is not stored any more"]
    stack = str(exception["stacktrace"]).rstrip().splitlines()
    left_out = [f"... {show.counted(len(stack) - _STACK_LINES, 'line')}"] if len(stack) > _STACK_LINES else []
    return [where, *left_out, *(stack[-_STACK_LINES:] or [f"{latest['type']}: {latest['message']}"])]


def _inputs(keys: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for key in keys:
        if len(keys) > 1:
            lines.append(f"key {key['key']}, of {key['issue']}, {show.counted(key['events'], 'event')}")
        lines += [f"{given['kind']:<8} {given['value']}" for given in key["inputs"]]
    return lines


def _share(each: dict[str, Any]) -> str:
    values = (
        f"{show.value(value['value'])} {show.percent(value['share'])} (else {show.percent(value['baseline_share'])})"
        for value in each["values"]
    )
    return f"{each['key']}: {', '.join(values)}"


def _activity(entry: dict[str, Any]) -> str:
    change = " -> ".join(part for part in (entry["from"], entry["to"]) if part)
    words = " ".join(part for part in (entry["what"], change, entry["detail"]) if part)
    return f"{show.local_time(entry['time'])} {entry['who']}: {words}"


def _comment(comment: dict[str, Any]) -> str:
    return f"{show.local_time(comment['time'])} {comment['who']}: {comment['text']}"
