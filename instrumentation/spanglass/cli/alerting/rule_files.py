"""``spanglass rules check`` and ``test``: files of rules, which need no server that runs where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import files, options
from spanglass.cli.errors import CliError, Exit, missing
from spanglass.cli.output import print_json
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

#: Where the server's distribution says what reads files of rules.
_ENTRY_POINTS = "spanglass.rule_files"


def check(argv: Sequence[str]) -> int:
    """Say everything that is wrong with files of rules."""
    parser = options.parser(
        "rules check",
        "Say everything that is wrong with files of rules, ours or Prometheus'. Where the server is installed it need "
        "not run; else, and for the problems of dialects that it alone knows, the one at --url is asked.",
    )
    files.add_files(parser, "YAML; - reads standard input")
    arguments = parser.parse_args(argv)
    local, problems = files.local(_ENTRY_POINTS, "check"), 0
    for file in arguments.files:
        text = files.read(file)
        checked = local(text, file) if local is not None else _asked(arguments, text, file)
        problems += files.tell_all(arguments.format, file, checked)
        if arguments.format == "text" and not checked["problems"]:
            print(f"{terminal_text(file)}: {_counted(checked)}, nothing is wrong")
    return Exit.USAGE if problems else Exit.OK


def test(argv: Sequence[str]) -> int:
    """Run files of unit tests of rules."""
    parser = options.parser(
        "rules test", "Run unit tests of rules: series in, alerts out at given times. Needs the server's package."
    )
    files.add_files(parser, "YAML with tests")
    arguments = parser.parse_args(argv)
    local = files.local(_ENTRY_POINTS, "test")
    if local is None:
        raise missing("unit tests of rules need the extra [server]", "server", "spanglass rules backtest asks a server")
    failed = wrong = 0
    for file in arguments.files:
        files.read(file)  # one that can't be read is told as for every command
        result = local(file)
        wrong += files.tell_all(arguments.format, file, {**result, "notes": []})
        failures = [each for each in result["checked"] if each["failure"]]
        failed += len(failures)
        for each in result["checked"] if arguments.format == "ndjson" else failures:
            _tell_result(arguments.format, {"file": file, **each})
        if not result["checked"] and not result["problems"]:
            raise CliError(f"{terminal_text(file)} expects nothing", "add alert_rule_test to a test", code=Exit.USAGE)
        if arguments.format == "text" and result["passed"]:
            print(f"{terminal_text(file)}: {show.counted(len(result['checked']), 'expectation')} met")
    return Exit.USAGE if wrong else Exit.FAILED if failed else Exit.OK


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


def _tell_result(form: str, each: dict[str, Any]) -> None:
    if form == "ndjson":
        print_json({"kind": "expectation", **each})
        return
    place = f"{each['file']}:{each['line']}" if each["line"] else each["file"]
    first, *more = str(each["failure"]).splitlines()
    print(terminal_text(f"{place}: {each['test']}: {each['what']}: {first}"))
    for line in more:
        print(terminal_text(f"  {line}"))
