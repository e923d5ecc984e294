"""``spanglass rules``: list rules, and what is done with them and their files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.alerting import backtest, rule_files
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATES = ("firing", "pending", "error", "no_data", "inactive", "disabled", "unknown")
_COLUMNS = (
    Column("uid", "rule", style="cyan", whole=True),
    Column("state"),
    Column("value", show=lambda value: show.NOTHING if value is None else show.digits(value), right=True),
    Column("unit", rank=5),
    Column("firing", show=show.number, right=True),
    Column("pending", show=show.number, right=True, rank=3),
    Column("severity", rank=4),
    Column("last_evaluation_time", f"evaluated ({show.zone()})", show.local_time, narrow=show.short_time, rank=2),
    Column("origin", rank=6),
    Column("condition"),
    Column("error", rank=1),
)


def command(argv: Sequence[str]) -> int:
    """List rules, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    if argv and argv[0] == "list":
        argv = argv[1:]
    actions = "|".join(_ACTIONS)
    parser = options.parser("rules", f"List alert rules with how they stand, or act: spanglass rules {actions} --help.")
    parser.add_argument("--state", choices=STATES, help="only rules in this state")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/rules")
    rows = [row for row in answer["rules"] if arguments.state in (None, row["state"])]
    if not emit(arguments.format, _COLUMNS, sorted(rows, key=_urgency)):
        print("spanglass rules: there is none" + (" in this state" if arguments.state else ""), file=sys.stderr)
    for problem in [*answer["problems"], *answer["alerter"]["problems"]]:
        print(f"spanglass rules: {terminal_text(problem)}", file=sys.stderr)
    return Exit.OK


def _urgency(row: dict[str, Any]) -> int:
    return STATES.index(row["state"])


def _export(argv: Sequence[str]) -> int:
    parser = options.parser("rules export", "Print rules as YAML, for a file of rules.")
    parser.add_argument("uids", nargs="*", metavar="RULE", help="their uids; without any, those made in pages")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    uids = arguments.uids or [row["uid"] for row in client.get("/rules")["rules"] if row["origin"] == "kept"]
    if not uids:
        print("spanglass rules: none is made in pages; name those to print", file=sys.stderr)
        return Exit.OK
    texts = [str(client.get(f"/rules/{options.segment(uid)}/yaml")["yaml"]) for uid in uids]
    lines = _joined(texts).splitlines()
    print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.OK


def _joined(texts: Sequence[str]) -> str:
    """One file of several, each of which begins with the same two lines."""
    return "".join(
        text if place == 0 else "".join(text.splitlines(keepends=True)[2:]) for place, text in enumerate(texts)
    )


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "check": rule_files.check,
    "test": rule_files.test,
    "backtest": backtest.command,
    "export": _export,
}
