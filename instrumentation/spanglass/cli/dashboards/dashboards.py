"""``spanglass dashboards``: list, check, export and import dashboards; the server reads them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

_COLUMNS = (
    Column("uid", style="cyan", whole=True),
    Column("name"),
    Column("panels", show=show.number, right=True),
    Column("origin", rank=1),
    Column("tags", rank=3, show=", ".join),
    Column("file", rank=2),
)


def command(argv: Sequence[str]) -> int:
    """List dashboards, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser("dashboards", f"List dashboards, or act: spanglass dashboards {'|'.join(_ACTIONS)} --help.")
    parser.add_argument("--all", action="store_true", help="also those whose data is not there")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/dashboards", {"show": "all" if arguments.all else "data"})
    if not emit(arguments.format, _COLUMNS, answer["dashboards"]):
        print("spanglass dashboards: there is none with data; --all lists the others", file=sys.stderr)
    for problem in answer["problems"]:
        print(f"spanglass dashboards: {_told(problem, problem['file'])}", file=sys.stderr)
    return Exit.OK


def _check(argv: Sequence[str]) -> int:
    parser = options.parser("dashboards check", "Say everything that is wrong with files of dashboards.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML; - reads standard input")
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")
    arguments = parser.parse_args(argv)
    client, problems = options.client(arguments), 0
    for file in arguments.files:
        checked = client.post("/dashboards/check", {"yaml": _read(file)})
        problems += len(checked["problems"])
        for problem in checked["problems"]:
            if arguments.format == "ndjson":
                print_json(problem | {"file": file})
            else:
                print(_told(problem, file))
        if arguments.format == "text" and not checked["problems"]:
            print(f"{terminal_text(file)}: {show.counted(len(checked['dashboards']), 'dashboard')}, nothing is wrong")
    return Exit.USAGE if problems else Exit.OK


def _export(argv: Sequence[str]) -> int:
    parser = options.parser("dashboards export", "Print a dashboard as YAML.")
    parser.add_argument("uid", help="its address; spanglass dashboards lists them")
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get(f"/dashboards/{options.segment(arguments.uid)}/yaml")
    _print_yaml(str(answer["yaml"]))
    return Exit.OK


def _import(argv: Sequence[str]) -> int:
    parser = options.parser("dashboards import", "Keep dashboards of YAML files, or of files that Grafana exports.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML, or Grafana's JSON; - reads standard input")
    parser.add_argument("--replace", action="store_true", help="in the place of those with the same uid")
    parser.add_argument("--dry-run", action="store_true", help="print the YAML, and keep nothing")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for file in arguments.files:
        dashboards, yaml = _dashboards(client, file)
        if arguments.dry_run:
            _print_yaml(yaml)
            continue
        for dashboard in dashboards:
            _keep(client, dashboard, arguments)
    return Exit.OK


def _dashboards(client: Client, file: str) -> tuple[list[dict[str, Any]], str]:
    """The dashboards of a file, and their YAML; what of Grafana's is left out goes to standard error."""
    text = _read(file)
    if not text.lstrip().startswith("{"):
        checked = client.post("/dashboards/check", {"yaml": text})
        if checked["problems"]:
            first, *more = (_told(problem, file) for problem in checked["problems"])
            raise CliError(first, *more, code=Exit.USAGE)
        return checked["dashboards"], text
    try:
        source = json.loads(text)
    except ValueError as error:
        raise CliError(f"{terminal_text(file)} is not JSON: {error}", code=Exit.USAGE) from None
    answer = client.post("/dashboards/import", {"grafana": source})
    for entry in answer["left_out"]:
        panel = f"{entry['panel']}: " if entry["panel"] else ""
        print(f"spanglass dashboards: left out: {terminal_text(panel + entry['what'])}", file=sys.stderr)
    return [answer["dashboard"]], answer["yaml"]


def _keep(client: Client, dashboard: dict[str, Any], arguments: argparse.Namespace) -> None:
    uid = dashboard["uid"]
    known = {row["uid"] for row in client.get("/dashboards", {"show": "all"})["dashboards"]}
    if uid in known and arguments.replace:
        # the server takes the header as a parameter too
        kept = client.send("PUT", f"/dashboards/{options.segment(uid)}?If-Match=*", {"dashboard": dashboard})
    else:
        if uid in known:
            message = f"there is a dashboard {terminal_text(uid)!r}"
            raise CliError(message, "give --replace, or another uid in the file", code=Exit.USAGE)
        kept = client.post("/dashboards", {"dashboard": dashboard})
    print(f"{client.url}/dashboards/{options.segment(kept['dashboard']['uid'])}")


def _read(file: str) -> str:
    """The text of a file."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{terminal_text(file)} can't be read: {reason}") from None


def _print_yaml(text: str) -> None:
    """Print YAML as it is; on a terminal without what would steer it."""
    lines = text.splitlines()
    print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")


def _told(problem: dict[str, Any], file: str) -> str:
    """A problem in the form that editors jump to: ``file:line:column: path: message; hint``."""
    place = ":".join(str(part) for part in (file, problem["line"], problem["column"]) if part)
    text = ": ".join(part for part in (place, problem["path"], problem["message"]) if part)
    return terminal_text(f"{text}; {problem['hint']}" if problem["hint"] else text)


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"check": _check, "export": _export, "import": _import}
