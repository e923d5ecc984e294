"""``spanglass rules check`` and ``test``: files of rules, which need no server that runs where it is installed."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit, missing
from spanglass.cli.output import print_json
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

#: Where the server's distribution says what reads files of rules.
_ENTRY_POINTS = "spanglass.rule_files"


def check(argv: Sequence[str]) -> int:
    """Say everything that is wrong with files of rules."""
    parser = options.parser(
        "rules check",
        "Say everything that is wrong with files of rules, ours or Prometheus'. Where the server is installed it need "
        "not run; else, and for the problems of dialects that it alone knows, the one at --url is asked.",
    )
    _add_files(parser, "YAML; - reads standard input")
    arguments = parser.parse_args(argv)
    local, problems = _local("check"), 0
    for file in arguments.files:
        text = _read(file)
        checked = local(text, file) if local is not None else _asked(arguments, text, file)
        problems += len(checked["problems"])
        for what in ("problems", "notes"):
            for problem in checked[what]:
                _tell(arguments.format, {"kind": what.removesuffix("s"), **problem, "file": problem["file"] or file})
        if arguments.format == "text" and not checked["problems"]:
            print(f"{terminal_text(file)}: {_counted(checked)}, nothing is wrong")
    return Exit.USAGE if problems else Exit.OK


def test(argv: Sequence[str]) -> int:
    """Run files of unit tests of rules."""
    parser = options.parser(
        "rules test", "Run unit tests of rules: series in, alerts out at given times. Needs the server's package."
    )
    _add_files(parser, "YAML with tests")
    arguments = parser.parse_args(argv)
    local = _local("test")
    if local is None:
        raise missing("unit tests of rules need the extra [server]", "server", "spanglass rules backtest asks a server")
    failed = wrong = 0
    for file in arguments.files:
        _read(file)  # one that can't be read is told as for every command
        result = local(file)
        wrong += len(result["problems"])
        for problem in result["problems"]:
            _tell(arguments.format, {"kind": "problem", **problem, "file": problem["file"] or file})
        failures = [each for each in result["checked"] if each["failure"]]
        failed += len(failures)
        for each in result["checked"] if arguments.format == "ndjson" else failures:
            _tell_result(arguments.format, {"file": file, **each})
        if not result["checked"] and not result["problems"]:
            raise CliError(f"{terminal_text(file)} expects nothing", "add alert_rule_test to a test", code=Exit.USAGE)
        if arguments.format == "text" and result["passed"]:
            print(f"{terminal_text(file)}: {show.counted(len(result['checked']), 'expectation')} met")
    return Exit.USAGE if wrong else Exit.FAILED if failed else Exit.OK


def _add_files(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help=what)
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")


def _local(name: str) -> Callable[..., dict[str, Any]] | None:
    """What the installed server does with files; None where it is not installed."""
    try:
        found: Callable[..., dict[str, Any]] = next(iter(entry_points(group=_ENTRY_POINTS, name=name))).load()
    except (StopIteration, ModuleNotFoundError):
        return None
    return found


def _asked(arguments: argparse.Namespace, text: str, file: str) -> dict[str, Any]:
    """Have a server check a file."""
    checked: dict[str, Any] = options.client(arguments).post("/rules/check", {"yaml": text})
    for what in ("problems", "notes"):
        checked[what] = [problem | {"file": file} for problem in checked[what]]
    return checked


def _counted(checked: dict[str, Any]) -> str:
    recordings = checked["recordings"]
    return show.counted(len(checked["rules"]), "rule") + (
        f" and {show.counted(recordings, 'recording rule')}" if recordings else ""
    )


def _tell(form: str, problem: dict[str, Any]) -> None:
    """Print a problem in the form that editors jump to: ``file:line:column: path: message; hint``."""
    if form == "ndjson":
        print_json(problem)
        return
    place = ":".join(str(part) for part in (problem["file"], problem["line"], problem["column"]) if part)
    said = f"note: {problem['message']}" if problem["kind"] == "note" else problem["message"]
    told = ": ".join(part for part in (place, problem["path"], said) if part)
    print(terminal_text(f"{told}; {problem['hint']}" if problem["hint"] else told))


def _tell_result(form: str, each: dict[str, Any]) -> None:
    if form == "ndjson":
        print_json({"kind": "expectation", **each})
        return
    place = f"{each['file']}:{each['line']}" if each["line"] else each["file"]
    first, *more = str(each["failure"]).splitlines()
    print(terminal_text(f"{place}: {each['test']}: {each['what']}: {first}"))
    for line in more:
        print(terminal_text(f"  {line}"))


def _read(file: str) -> str:
    """The text of a file."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{terminal_text(file)} can't be read: {reason}") from None
