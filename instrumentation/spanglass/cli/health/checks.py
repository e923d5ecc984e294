"""``spanglass checks``: list health checks, show one, run one, and say how the whole is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.client import MONITORING
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATUSES = ("unhealthy", "degraded", "unknown", "healthy")
_STYLES = {"unhealthy": "red", "degraded": "yellow", "healthy": "green", "unknown": "dim"}
_SINCE = Column("since_time", f"since ({show.zone()})", show.local_time, narrow=show.short_time, rank=3)


def _took(value: Any) -> str:
    return show.duration(value) if value else "—"  # a heartbeat that was not called takes no time


_COLUMNS = (
    Column("uid", "check", style="cyan", whole=True),
    Column("status"),
    _SINCE,
    Column("latency_ns", "took", show=_took, right=True, rank=2),
    Column("kind", rank=5),
    Column("area", rank=6),
    Column("source", rank=7),
    Column("name", rank=8),
    Column("detail"),
)
_COMPONENTS = (
    Column("uid", "component", style="cyan", whole=True),
    Column("status"),
    _SINCE,
    Column("latency_ns", "took", show=_took, right=True, rank=2),
    Column("sources", "told by", show=", ".join, rank=4),
    Column("reason"),
)
_RUNS = (
    Column("time", f"time ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("status"),
    Column("latency_ns", "took", show=_took, right=True),
    Column("detail"),
)


def command(argv: Sequence[str]) -> int:
    """List checks, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    if argv and argv[0] == "list":
        argv = argv[1:]
    actions = "|".join(_ACTIONS)
    parser = options.parser(
        "checks", f"List health checks with how they stand, or act: spanglass checks {actions} --help."
    )
    parser.add_argument("--status", choices=STATUSES, help="only checks with this status")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/checks")
    rows = [row for row in answer["checks"] if arguments.status in (None, row["status"])]
    if not emit(arguments.format, _COLUMNS, sorted(rows, key=lambda row: STATUSES.index(row["status"]))):
        print("spanglass checks: there is none" + (" with this status" if arguments.status else ""), file=sys.stderr)
    for problem in answer["problems"]:
        print(f"spanglass checks: {terminal_text(problem)}", file=sys.stderr)
    return Exit.OK


def _show(argv: Sequence[str]) -> int:
    parser = options.parser("checks show", "Show one check with its latest runs, and how it is written.")
    parser.add_argument("uid", help="its uid; spanglass checks lists them")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    check = client.get(f"/checks/{options.segment(arguments.uid)}")
    if arguments.format == "ndjson":
        print_json(check)
    elif arguments.format == "csv":
        emit("csv", _COLUMNS, [check])
    else:
        _draw(check, client.url)
    return Exit.OK


def _run(argv: Sequence[str]) -> int:
    """Exit code 1 unless it is healthy."""
    parser = options.parser("checks run", "Run checks of the server once more, with no consequence for their status.")
    parser.add_argument("uids", nargs="+", metavar="CHECK", help="their uids")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    rows = [{"uid": uid, **client.send("POST", f"/checks/{options.segment(uid)}/run", {})} for uid in arguments.uids]
    emit(arguments.format, (Column("uid", "check", style="cyan", whole=True), *_RUNS), rows)
    return Exit.OK if all(row["status"] == "healthy" for row in rows) else Exit.FAILED


def _status(argv: Sequence[str]) -> int:
    """Exit code 1 while the whole is unhealthy."""
    parser = options.parser("checks status", "Say how everything is: status, score, reasons, components.")
    parser.add_argument("--all", action="store_true", help="all components, also those that are well")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    whole = options.client(arguments).get("/health/", api=MONITORING)
    if arguments.format == "ndjson":
        print_json(whole)
    else:
        rows = [row for row in whole["components"] if arguments.all or row["status"] in STATUSES[:2]]
        rows.sort(key=lambda row: STATUSES.index(row["status"]))
        if arguments.format == "table":
            sentence = f"{whole['status']}, {whole['score']} of 100, since {show.local_time(whole['since_time'])}"
            console().line(text(sentence, _STYLES[whole["status"]]))
        emit(arguments.format, _COMPONENTS, rows)
    return Exit.FAILED if whole["status"] == "unhealthy" else Exit.OK


def _draw(check: dict[str, Any], url: str) -> None:
    out = console()
    out.line(text(check["name"], "bold"))
    since = f" since {show.local_time(check['since_time'])}" if check["since_time"] else ""
    flapping = ", flapping" if check["flapping"] else ""
    out.line(text(f"{check['status']}{since}{flapping}", _STYLES[check["status"]]))
    for line in (check["detail"], check["target"], check["description"]):
        if line:
            out.line(text(line))
    if check["heartbeat_path"]:
        out.line(text(f"called at {url}{check['heartbeat_path']}", "dim"))
    if check["yaml"]:
        out.line()
        for line in check["yaml"].splitlines()[2:]:
            out.line(text(line, "dim"))
    if check["runs"]:
        out.line()
        emit("table", _RUNS, check["runs"])


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"show": _show, "run": _run, "status": _status}
