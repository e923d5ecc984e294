"""``spanglass slo``: list objectives with what is left of their error budgets, show one, and keep those of files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.files import add_files, read, tell_all, told
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

_FAIL = "exit code 1 if a budget is used up, there is no objective, or a file is wrong: for deployments"
STATUSES = ("exhausted", "burning", "no_data", "ok", "off")
_STYLES = {"exhausted": "red", "burning": "yellow", "ok": "green"}


def _budget(left: Any) -> str:
    text = _left(left)
    return f"the budget is {text}" if text.startswith("used") else f"{text} of the budget is left"


def _percent(share: Any) -> str:
    """A share of good events: never rounded up to all of them."""
    return show.NOTHING if share is None else f"{int(share * 1e6) / 1e4:g}%"


def _part(share: Any) -> str:
    """A part of a budget, or how many of them."""
    return f"{show.number(share)} times" if share is not None and share > 1 else show.percent(share)


def _left(share: Any) -> str:
    """What is left of a budget, or how many of them were used."""
    is_far = share is not None and share < 0
    return f"used {_part(1 - share)}" if is_far else show.percent(share)


def _times(rate: Any) -> str:
    return show.NOTHING if rate is None else f"{show.digits(rate)}x"


_COLUMNS = (
    Column("uid", "objective", style="cyan", whole=True),
    Column("status"),
    Column("good", show=_percent, right=True),
    Column("target", show=_percent, right=True),
    Column("left", "budget left", show=_left, right=True),
    Column("burn", "burns (1h)", show=_times, right=True, rank=2),
    Column("window", rank=3),
    Column("used_up", f"used up ({show.zone()})", show.local_time, narrow=show.short_time, rank=4),
    Column("service", rank=5),
    Column("name", rank=6),
)
_EPISODES = (
    Column("start_time", f"began ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("end_time", "ended", show.local_time, narrow=show.short_time, rank=2),
    Column("bad", show=show.number, right=True),
    Column("total", "of", show=show.number, right=True),
    Column("share", "of the budget", show=_part, right=True),
)
_RULES = (
    Column("uid", "rule", style="cyan", whole=True),
    Column("severity"),
    Column("rate", "faster than", show=_times, right=True),
    Column("long"),
    Column("over_long", "burns", show=_times, right=True),
    Column("short"),
    Column("over_short", "burns", show=_times, right=True),
)
_CHANGES = (
    Column("time", f"time ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("uid", "objective", style="cyan", whole=True),
    Column("kind", "what"),
    Column("by"),
)


def command(argv: Sequence[str]) -> int:
    """List objectives, or do what an action says.

    Exit code 1 from ``list --fail`` where a budget is used up, or where that can't be told: there is no objective, or
    something is wrong with their files.
    """
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    if argv and argv[0] == "list":
        argv = argv[1:]
    actions = "|".join(_ACTIONS)
    parser = options.parser("slo", f"List objectives with how they stand, or act: spanglass slo {actions} --help.")
    parser.add_argument("--service", help="only objectives of this service")
    parser.add_argument("--status", choices=STATUSES, help="only objectives with this status")
    parser.add_argument("--fail", action="store_true", help=_FAIL)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/slos", {"service": arguments.service})
    found = [one for one in answer["slos"] if arguments.status in (None, one["status"])]
    if not emit(arguments.format, _COLUMNS, [_row(one) for one in found]):
        print(
            "spanglass slo: there is no objective" + (" with this status" if arguments.status else ""), file=sys.stderr
        )
    lacking = [f"{one['name']}: {one['lacking']}" for one in found if one.get("lacking")]
    for problem in (*answer["problems"], *lacking):
        print(f"spanglass slo: {terminal_text(problem)}", file=sys.stderr)
    is_used_up = any(one["status"] == "exhausted" for one in answer["slos"])  # whatever is shown
    is_well = answer["slos"] and not answer["problems"] and not is_used_up
    return Exit.FAILED if arguments.fail and not is_well else Exit.OK


def _row(one: dict[str, Any]) -> dict[str, Any]:
    forecast = one["forecast"]
    return {
        **one,
        "good": one["budget"]["good"],
        "left": one["budget"]["left"],
        "burn": one["burn_rates"].get("1h"),
        "used_up": forecast["time"] if forecast and not forecast["exhausted"] else None,
    }


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("slo show", "Show one objective: its budget, what used it, its rules, how it is written.")
    parser.add_argument("uid", help="its uid; spanglass slo lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    path = f"/slos/{options.segment(arguments.uid)}"
    one = client.get(path)
    if arguments.format == "ndjson":
        print_json(one)
    elif arguments.format == "csv":
        emit("csv", _COLUMNS, [_row(one)])
    else:
        range_ = {"start": one["window_range"]["start_time"], "end": one["window_range"]["end_time"], "limit": 5}
        _draw(one, client.get(f"{path}/episodes", range_)["episodes"])
    return Exit.OK


def _draw(one: dict[str, Any], episodes: list[dict[str, Any]]) -> None:
    out, budget = console(), one["budget"]
    out.line(text(one["name"], "bold"))
    out.line(text(one["status"], _STYLES.get(one["status"], "dim")))
    asked = f"{_percent(one['target'])} over {one['window']} of {one['what']}"
    for line in (asked, one["description"]):
        if line:
            out.line(text(line))
    if budget["total"]:
        out.line(
            text(
                f"{_percent(budget['good'])} good: {show.number(budget['bad'])} of {show.number(budget['total'])} were "
                f"bad, {show.number(budget['allowed'])} may be; {_budget(budget['left'])}"
            )
        )
    if one["partial"] and one["since_time"]:
        out.line(text(f"counted since {show.local_time(one['since_time'])}", "dim"))
    forecast = one["forecast"]
    if forecast and forecast["time"]:
        what = "some of it is there again" if forecast["exhausted"] else "it is used up"
        out.line(text(f"if all goes on as in the last day {what} at {show.local_time(forecast['time'])}"))
    rates = one["burn_rates"]
    rules = [
        {**rule, "over_long": rates.get(rule["long"]), "over_short": rates.get(rule["short"])} for rule in one["rules"]
    ]
    for columns, rows in ((_RULES, rules), (_EPISODES, episodes)):
        if rows:
            out.line()
            emit("table", columns, rows)
    out.line()
    for line in one["yaml"].splitlines()[1:]:
        out.line(text(line, "dim"))


def _check(argv: Sequence[str]) -> int:
    """Exit code 2 where anything is wrong."""
    parser = options.parser("slo check", "Say everything that is wrong with files of objectives.")
    add_files(parser, "YAML; - reads standard input")
    arguments = parser.parse_args(argv)
    client, problems = options.client(arguments), 0
    for file in arguments.files:
        checked = client.post("/slos/check", {"yaml": read(file)})
        problems += tell_all(arguments.format, file, {"notes": (), **checked})
        if arguments.format == "text" and not checked["problems"]:
            print(f"{terminal_text(file)}: {show.counted(len(checked['slos']), 'objective')}, nothing is wrong")
    return Exit.USAGE if problems else Exit.OK


def _apply(argv: Sequence[str]) -> int:
    parser = options.parser("slo apply", "Keep the objectives of files, in the place of those with the same uid.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML; - reads standard input")
    options.add_actor(parser, dest="by")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    texts = [(file, client.post("/slos/check", {"yaml": read(file)})) for file in arguments.files]
    for file, checked in texts:  # all are right, or none is kept
        if checked["problems"]:
            first, *more = (told({"kind": "problem", **problem, "file": file}) for problem in checked["problems"])
            raise CliError(first, *more, code=Exit.USAGE)
    known = {one["uid"] for one in client.get("/slos")["slos"]}
    for slo in (slo for _, checked in texts for slo in checked["slos"]):
        print(_keep(client, slo, known, arguments.by))
    return Exit.OK


def _import(argv: Sequence[str]) -> int:
    """Exit code 2 where something can't be taken; what can is printed all the same."""
    parser = options.parser("slo import", "Print objectives of OpenSLO files as they are written here, for slo apply.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML of OpenSLO (openslo/v1); - reads standard input")
    arguments = parser.parse_args(argv)
    client, problems = options.client(arguments), 0
    lines: list[str] = []
    for file in arguments.files:
        taken = client.post("/slos/import", {"yaml": read(file)})
        problems += tell_all("text", file, taken, to_stderr=True)
        lines += taken["yaml"].splitlines()[1 if lines else 0 :]
    if lines:
        print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.USAGE if problems else Exit.OK


def _keep(client: Client, slo: dict[str, Any], known: set[str], by: str) -> str:
    """Keep an objective, and say what became of it."""
    uid = slo["uid"]
    if uid not in known:
        made = client.send("POST", "/slos", {"slo": slo, "by": by})
        return _said(uid, "created", made)
    path = f"/slos/{options.segment(uid)}"
    before = client.get(path)
    if before["slo"] == slo:
        return f"{terminal_text(uid)}: as it was"
    return _said(uid, "changed", client.send("PUT", path, {"slo": slo, "version": before["version"], "by": by}))


def _said(uid: str, what: str, kept: dict[str, Any]) -> str:
    lacking = kept.get("lacking")
    return terminal_text(f"{uid}: {what}; but {lacking}" if lacking else f"{uid}: {what}")


def _export(argv: Sequence[str]) -> int:
    parser = options.parser("slo export", "Print objectives as YAML, for a file.")
    parser.add_argument("uids", nargs="*", metavar="OBJECTIVE", help="their uids; without any, all")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    uids = arguments.uids or [one["uid"] for one in client.get("/slos")["slos"]]
    texts = [str(client.get(f"/slos/{options.segment(uid)}")["yaml"]).splitlines() for uid in sorted(uids)]
    lines = [line for place, one in enumerate(texts) for line in (one if place == 0 else one[1:])]
    print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.OK


def _delete(argv: Sequence[str]) -> int:
    parser = options.parser("slo delete", "Delete objectives, and their alert rules with them.")
    parser.add_argument("uids", nargs="+", metavar="OBJECTIVE", help="their uids")
    options.add_actor(parser, dest="by")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for uid in arguments.uids:
        path = f"/slos/{options.segment(uid)}"
        version = options.segment(client.get(path)["version"])
        client.send("DELETE", f"{path}?version={version}", {}, by=arguments.by)
    return Exit.OK


def _changes(argv: Sequence[str]) -> int:
    parser = options.parser("slo changes", "List what people changed of objectives, newest first.")
    parser.add_argument("uid", nargs="?", help="only of this one")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    path = f"/slos/{options.segment(arguments.uid)}/changes" if arguments.uid else "/slos/changes"
    if not emit(arguments.format, _CHANGES, options.client(arguments).get(path)["changes"]):
        print("spanglass slo: nothing was changed", file=sys.stderr)
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "check": _check,
    "apply": _apply,
    "import": _import,
    "export": _export,
    "delete": _delete,
    "changes": _changes,
}
