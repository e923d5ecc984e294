"""``spanglass incidents report`` and ``postmortem``: how long things took, and what is to be learned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.client import MONITORING
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def took(seconds: float | None) -> str:
    """A duration in its two largest units, whole seconds at least: ``2 h 5 min``; a dash for none."""
    if seconds is None:
        return "-"
    left, parts = max(0, round(seconds)), []
    for size, name in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def _mean(spread: dict[str, Any] | None) -> str:
    return took(spread["mean"] if spread else None)


_COLUMNS = (
    Column("of"),
    Column("name"),
    Column("total", "opened", show=show.number, right=True),
    Column("open", show=show.number, right=True, rank=3),
    Column("within", "in time", show=show.percent, right=True),
    Column("late", show=show.number, right=True, rank=4),
    Column("acknowledge", "MTTA", show=_mean, right=True),
    Column("recover", "to recovery", show=_mean, right=True, rank=2),
    Column("resolve", "MTTR", show=_mean, right=True),
)


def report(argv: Sequence[str]) -> int:
    """Write the report."""
    parser = options.parser("incidents report", "How long incidents and alerts took, and how many were over in time.")
    parser.add_argument("--last", metavar="DURATION", default=None, help="so far back from now (default 30d)")
    parser.add_argument("--start", metavar="TIME", help="instead of --last: RFC 3339, Unix time, or now-2h")
    parser.add_argument("--end", metavar="TIME", help="the same; default now")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if not (arguments.last or arguments.start):
        arguments.last = "30d"
    client = options.client(arguments)
    found = client.get("/incident-report/", options.range_parameters(arguments), api=MONITORING)
    rows = [row for part in ("incidents", "alerts") for row in _rows(part, found[part])]
    if arguments.format == "table":
        line = f"in time is within {took(found['target_s'])}; figures are of those opened in the range"
        console().line(text(line, "dim"))
    emit(arguments.format, _COLUMNS, rows)
    return Exit.OK


def _rows(part: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [{"of": part, "name": "all", **found["all"]}]
    return rows + [{"of": f"{part} by {sort}", **row} for sort, group in found["by"].items() for row in group]


def postmortem(argv: Sequence[str]) -> int:
    """Write the postmortem to standard output, or keep one from a file."""
    parser = options.parser("incidents postmortem", "The postmortem of an incident in Markdown, or its draft.")
    parser.add_argument("id", help="the incident's id")
    parser.add_argument("--write", metavar="FILE", help="keep this text instead of the draft; - is standard input")
    parser.add_argument("--draft", action="store_true", help="throw away what was kept: the draft is made anew")
    options.add_actor(parser, dest="by")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client, path = options.client(arguments), f"/incidents/{options.segment(arguments.id)}/postmortem/"
    if arguments.write or arguments.draft:
        body = {"text": _read(arguments.write) if arguments.write else "", "by": arguments.by}
        found = client.send("PUT", path, body, api=MONITORING)
    else:
        found = client.get(path, api=MONITORING)
    if arguments.format == "ndjson":
        print_json(found)
    else:
        lines = found["text"].splitlines()
        shown = [terminal_text(line) for line in lines] if sys.stdout.isatty() else lines
        print("\n".join(shown))
    return Exit.OK


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{name} can't be read: {reason}", code=Exit.USAGE) from None
