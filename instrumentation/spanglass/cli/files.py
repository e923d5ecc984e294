"""What commands about files share: reading one, the functions of an installed server, and telling what is wrong."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError
from spanglass.cli.output import print_json
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add_files(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the files, and how problems are printed."""
    parser.add_argument("files", nargs="+", metavar="FILE", help=what)
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")


def local(group: str, name: str) -> Callable[..., dict[str, Any]] | None:
    """What the installed server does with files, by its entry points; None where it is not installed."""
    try:
        found: Callable[..., dict[str, Any]] = next(iter(entry_points(group=group, name=name))).load()
    except (StopIteration, ModuleNotFoundError):
        return None
    return found


def read(file: str) -> str:
    """The text of a file, or of standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{terminal_text(file)} can't be read: {reason}") from None


def tell_all(form: str, file: str, checked: dict[str, Any], to_stderr: bool = False) -> int:  # noqa: FBT001, FBT002
    """Print problems and notes; how many problems there are."""
    for what in ("problems", "notes"):
        for problem in checked[what]:
            each = {"kind": what.removesuffix("s"), **problem, "file": problem["file"] or file}
            if form == "ndjson" and not to_stderr:
                print_json(each)
            else:
                print(told(each), file=sys.stderr if to_stderr else sys.stdout)
    return len(checked["problems"])


def told(problem: dict[str, Any]) -> str:
    """A problem in the form that editors jump to: ``file:line:column: path: message; hint``."""
    place = ":".join(str(part) for part in (problem["file"], problem["line"], problem["column"]) if part)
    said = f"note: {problem['message']}" if problem["kind"] == "note" else problem["message"]
    text = ": ".join(part for part in (place, problem["path"], said) if part)
    return terminal_text(f"{text}; {problem['hint']}" if problem["hint"] else text)
