"""``spanglass routes``: the tree of routes, who hears of an alert and why, and the files that routes stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.notifications import route_files
from spanglass.cli.output import console, print_json
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_RESULTS = {
    "takes": ("✓", "takes it"),
    "passes": ("✓", "a route below takes it"),
    "fails": ("✗", ""),
    "unasked": ("·", "not asked: a route before it took the alert"),
}


def command(argv: Sequence[str]) -> int:
    """Show the tree of routes, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    return _show(argv)


def _show(argv: Sequence[str]) -> int:
    actions = "|".join(_ACTIONS)
    parser = options.parser("routes", f"Show the tree of routes, or act: spanglass routes {actions} --help.")
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")
    arguments = parser.parse_args(argv)
    root = options.client(arguments).get("/notifications/route")
    if arguments.format == "ndjson":
        print_json(root)
        return Exit.OK
    out = console()
    for line in _tree(root, 0):
        out.line(text(line))
    return Exit.OK


def _tree(route: dict[str, Any], depth: int) -> Iterator[str]:
    """A line for each route, indented by its depth."""
    who = ", ".join(route["channels"]) or "the channels of each alert"
    what = ", ".join(route["matchers"]) or ("every alert" if not depth else "everything")
    more = [f"escalation {route['escalation']}"] if route["escalation"] else []
    more += ["continues"] if route["continue"] else []
    more += [f"not {' or '.join(route['mute_during'])}"] if route["mute_during"] else []
    more += [f"only {' or '.join(route['active_during'])}"] if route["active_during"] else []
    by = "nothing is grouped" if route["group_by"] is None else "by " + (", ".join(route["group_by"]) or "route")
    times = f"{by}, wait {route['group_wait']}, again {route['group_interval']}, repeat {route['repeat_interval']}"
    yield f"{'  ' * depth}{what}: {who} ({'; '.join([times, *more])})"
    for child in route["routes"]:
        yield from _tree(child, depth + 1)


def _explain(argv: Sequence[str]) -> int:
    parser = options.parser("routes explain", "Say who hears of an alert that is there, and why.")
    parser.add_argument("alert", metavar="ALERT", help="its id; spanglass alerts lists them")
    return _explained(parser, argv, lambda arguments: {"alert": arguments.alert})


def _test(argv: Sequence[str]) -> int:
    parser = options.parser("routes test", "Say who would hear of an alert with these labels, and why.")
    parser.add_argument("labels", nargs="+", metavar="NAME=VALUE", help="its labels, such as service=shop")
    parser.add_argument("--severity", choices=("info", "warning", "error", "critical"), help="default warning")
    parser.add_argument("--title", default="", help="its title")
    parser.add_argument("--channel", action="append", default=[], help="that it names itself; repeatable")

    def body(arguments: Any) -> dict[str, Any]:
        pairs = [word.partition("=") for word in arguments.labels]
        wrong = next((name for name, equals, _ in pairs if not (name and equals)), None)
        if wrong is not None:
            raise CliError(f"{terminal_text(wrong)!r} is no label", "write service=shop", code=Exit.USAGE)
        given = {"severity": arguments.severity, "title": arguments.title, "channels": arguments.channel}
        labels = {name: value for name, _, value in pairs}
        return {"labels": labels, **{name: value for name, value in given.items() if value}}

    return _explained(parser, argv, body)


def _explained(parser: Any, argv: Sequence[str], body: Callable[[Any], dict[str, Any]]) -> int:
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")
    arguments = parser.parse_args(argv)
    found = options.client(arguments).post("/notifications/explain", body(arguments))
    if arguments.format == "ndjson":
        print_json(found)
        return Exit.OK
    out = console()
    for line in found["text"]:
        out.line(text(line, "bold"))
    for line in _steps(found["hearings"]):
        out.line(text(f"  {line}"))
    out.line()
    for step in found["steps"]:
        out.line(text(f"{'  ' * step['depth']}{_walked(step)}"))
    out.line()
    labels = ", ".join(f"{name}={value}" for name, value in sorted(found["labels"].items()))
    out.line(text(f"labels: {labels}", "dim"))
    return Exit.OK


def _steps(hearings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Whom each step of the escalations would reach."""
    for hearing in hearings:
        for step in hearing["escalation_steps"]:
            reached = (
                ", ".join(_recipient(each) for each in step["recipients"]) or "nobody: the next step is due at once"
            )
            yield f"{hearing['escalation']}, after {step['after']}: {reached}"


def _recipient(to: dict[str, Any]) -> str:
    quiet = " (when their quiet hours end)" if to["until"] else ""
    return f"{to['person']} over {to['channel']}{quiet}" if to["person"] else str(to["channel"])


def _walked(step: dict[str, Any]) -> str:
    mark, says = _RESULTS[step["result"]]
    what = ", ".join(step["matchers"]) or "every alert"
    if step["failing"]:
        says = f"{step['failing']} does not hold of {step['value']!r}"
    return f"{mark} {what}: {says}"


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "explain": _explain,
    "test": _test,
    "check": route_files.check,
    "import": route_files.convert,
}
