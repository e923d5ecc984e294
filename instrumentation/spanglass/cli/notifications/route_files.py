"""``spanglass routes check`` and ``import``: settings files and files of Alertmanager, without a server that runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import files, options
from spanglass.cli.errors import Exit, missing
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENTRY_POINTS = "spanglass.route_files"


def check(argv: Sequence[str]) -> int:
    """Say everything that is wrong with routes, channels and people of files."""
    parser = options.parser(
        "routes check",
        "Say everything that is wrong with the channels, routes and people of settings files, or with files of "
        "Alertmanager. Needs the server's package; no server has to run.",
    )
    files.add_files(parser, "YAML; - reads standard input")
    arguments = parser.parse_args(argv)
    checking, problems = _local("check"), 0
    for file in arguments.files:
        checked = checking(files.read(file), file)
        problems += files.tell_all(arguments.format, file, checked)
        if arguments.format == "text" and not checked["problems"]:
            print(f"{terminal_text(file)}: {_counted(checked)}, nothing is wrong")
    return Exit.USAGE if problems else Exit.OK


def convert(argv: Sequence[str]) -> int:
    """Print what a file of Alertmanager means as settings."""
    parser = options.parser(
        "routes import",
        "Print the channels, routes, inhibitions and intervals of a file of Alertmanager as settings. Notes on "
        "standard error say what is not as it was. Secrets are printed as they stand in the file.",
    )
    parser.add_argument("file", metavar="FILE", help="alertmanager.yml; - reads standard input")
    arguments = parser.parse_args(argv)
    converted = _local("convert")(files.read(arguments.file), arguments.file)
    problems = files.tell_all("text", arguments.file, converted, to_stderr=True)
    lines = converted["yaml"].splitlines()
    if lines:
        print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.USAGE if problems else Exit.OK


def _local(name: str) -> Callable[..., dict[str, Any]]:
    found = files.local(_ENTRY_POINTS, name)
    if found is None:
        raise missing("files of routes need the extra [server]", "server", "run it where the server is installed")
    return found


def _counted(checked: dict[str, Any]) -> str:
    counts = [show.counted(count, noun) for noun, count in checked["counts"].items() if count]
    return ", ".join(counts) or "nothing about notifications"
