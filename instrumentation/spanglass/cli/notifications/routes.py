"""``spanglass routes``: what is done with routes, and with the files that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.cli import options
from spanglass.cli.notifications import route_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "check": route_files.check,
    "import": route_files.convert,
}


def command(argv: Sequence[str]) -> int:
    """Do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    actions = "|".join(_ACTIONS)
    parser = options.parser("routes", f"Who hears of an alert: spanglass routes {actions} --help.")
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.parse_args(argv)
    raise AssertionError("an action that there is was done")
