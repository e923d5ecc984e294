"""``spanglass issues``: errors as people handle them, listed; and grouping them anew."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.cli.client import Client

SORTS = ("last_seen", "first_seen", "events", "users", "trend")
_POLL_S = 0.5
_REGROUP = "regroup"


def command(argv: Sequence[str]) -> int:
    """Print the issues that occurred in the range; ``regroup`` groups stored occurrences anew."""
    parser = options.parser("issues", "List issues: those with an occurrence in the range that matches the filter.")
    parser.add_argument(
        "filter",
        nargs="?",
        help="such as: service:checkout type:ValueError; the word regroup alone groups what is stored anew",
    )
    options.add_range(parser)
    parser.add_argument("--state", help="new, ongoing, regressed, resolved, ignored, several with commas; open, all")
    parser.add_argument("--service", help="only issues of this service")
    parser.add_argument("--assignee", help="only those assigned to this name; none: those of nobody")
    parser.add_argument("--sort", choices=SORTS, help="largest or newest first (default last_seen)")
    parser.add_argument("--reverse", action="store_true", help="smallest or oldest first")
    parser.add_argument("--limit", type=options.positive, default=20, help="how many at most (default 20)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    if arguments.filter == _REGROUP:
        return _regroup(client)
    parameters = {
        **options.range_parameters(arguments),
        "filter": arguments.filter,
        "state": arguments.state,
        "service": arguments.service,
        "assignee": arguments.assignee,
        "sort": arguments.sort,
        "order": "asc" if arguments.reverse else None,
    }
    emit(
        arguments.format,
        (
            Column("id", "issue", style="cyan"),
            Column("state"),
            Column("events", show=show.number, right=True),
            Column("users", show=show.number, right=True),
            Column("series", "", show.sparkline),
            Column("first_seen_time", f"first seen ({show.zone()})", show.local_time),
            Column("last_seen_time", "last seen", show.local_time),
            Column("assignee"),
            Column("title"),
        ),
        client.pages("/issues", parameters, "issues", arguments.limit),
    )
    return Exit.OK


def _regroup(client: Client) -> int:
    """Have stored occurrences grouped anew, and wait for it."""
    progress = client.post("/issues/regroup", {})
    while progress["is_running"]:
        _tell(progress)
        time.sleep(_POLL_S)
        progress = client.get("/issues/regroup")
    if progress["error"]:
        raise CliError(f"regrouping ended early: {progress['error']}")
    moved, total = show.number(progress["moved"]), show.counted(progress["total"], "occurrence")
    print(f"regrouped: {moved} of {total} have another group now")
    return Exit.OK


def _tell(progress: dict[str, Any]) -> None:
    print(
        f"regrouping: {show.number(progress['done'])} of {show.number(progress['total'])}",
        file=sys.stderr,
        flush=True,
    )
