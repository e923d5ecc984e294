"""``spanglass doctor``: what is installed and instrumented, whether the server takes it, and what mends the rest."""

from __future__ import annotations

import argparse
import os
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.cli.diagnosis.report import Report, diagnose
from spanglass.cli.errors import Exit
from spanglass.cli.output import print_json
from spanglass.instrumentors.status import State
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = """examples:
  spanglass doctor
  spanglass doctor -- gunicorn --preload shop.web:app
  spanglass doctor --json

Run it in the application's environment, with the application's variables. The exit code is 1 if there is a problem."""

#: How a severity looks: the mark, and the colour of a terminal.
_MARKS = {Severity.OK: ("ok", "32"), Severity.NOTE: ("note", "36"), Severity.WARNING: ("warning", "33"),
          Severity.PROBLEM: ("PROBLEM", "1;31")}  # fmt: skip
_WIDTH = max(len(mark) for mark, _ in _MARKS.values())
#: States of instrumentations that the list leaves out unless ``--all`` is given.
_PLAIN = {State.LIBRARY_MISSING}


def command(argv: Sequence[str]) -> int:
    """Print what was found; the exit code is 1 if something keeps telemetry from arriving."""
    own, words = _split(list(argv))
    arguments = _parser().parse_args(own)
    report = diagnose(os.environ, words, ask_server=not arguments.offline)
    if arguments.json:
        print_json(report.shown())
    else:
        _print(report, every=arguments.all)
    return Exit.FAILED if report.worst is Severity.PROBLEM else Exit.OK


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Part our own words from the command after ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="spanglass doctor",
        usage="spanglass doctor [OPTIONS] [-- COMMAND ...]",
        description="Say what is installed, what is instrumented or not and why, and whether the server takes it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--json", action="store_true", help="print everything as one line of JSON")
    made.add_argument("--all", action="store_true", help="list every setting and instrumentation")
    made.add_argument("--offline", action="store_true", help="do not ask the server")
    return made


def _print(report: Report, *, every: bool) -> None:
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for area, group in groupby(
        sorted(report.findings, key=lambda each: _AREAS.index(each.area)), lambda each: each.area
    ):
        print(_bold(area, colours=colours))
        for each in group:
            _print_finding(each, colours=colours)
        if area == "settings":
            _print_settings(report, every=every)
        if area == "instrumentations":
            _print_instrumentations(report, every=every)
        print()
    print(_summary(report))


_AREAS = ("versions", "settings", "instrumentations", "server", "running", "processes")


def _print_finding(finding: Finding, *, colours: bool) -> None:
    mark, colour = _MARKS[finding.severity]
    padded = f"{mark:<{_WIDTH}}"
    print(f"  {_coloured(padded, colour, colours=colours)}  {terminal_text(finding.text)}")
    if finding.remedy:
        print(f"  {'':<{_WIDTH}}  -> {terminal_text(finding.remedy)}")


def _print_settings(report: Report, *, every: bool) -> None:
    rows = [each for each in report.settings if every or each["source"] != "default"]
    _columns([(each["name"], each["value"], f"({each['source']})") for each in rows])


def _print_instrumentations(report: Report, *, every: bool) -> None:
    shown = [each for each in report.instrumentations if every or each.state not in _PLAIN]
    _columns(
        [(each.name, each.state.value, f"{each.library} {each.library_version}".strip(), each.reason) for each in shown]
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows of text below each other; the last column is as long as it is."""
    if not rows:
        return
    widths = [max(len(terminal_text(cell)) for cell in column) for column in zip(*rows, strict=True)]
    print()
    for row in rows:
        cells = (f"{terminal_text(cell):<{width}}" for cell, width in zip(row, widths, strict=True))
        print(f"    {'  '.join(cells)}".rstrip())


def _summary(report: Report) -> str:
    count = {each: sum(found.severity is each for found in report.findings) for each in Severity}
    if not count[Severity.PROBLEM] and not count[Severity.WARNING]:
        return "Everything is in order."
    return f"{_counted(count[Severity.PROBLEM], 'problem')}, {_counted(count[Severity.WARNING], 'warning')}."


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _bold(text: str, *, colours: bool) -> str:
    return _coloured(text, "1", colours=colours)


def _coloured(text: str, colour: str, *, colours: bool) -> str:
    return f"\033[{colour}m{text}\033[0m" if colours else text
