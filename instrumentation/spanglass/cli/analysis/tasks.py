"""``spanglass tasks``: background tasks and queues, how many run and wait, fail, and for how long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Sequence


def _took(duration_ns: Any) -> str:
    return "" if duration_ns is None else show.duration(duration_ns)


def _counted(count: Any) -> str:
    return "" if count is None else show.number(count)


_TASKS = (
    Column("task", style="cyan"),
    Column("service", rank=2),
    Column("queue", rank=4),
    Column("runs", show=show.number, right=True),
    Column("rate_per_s", "per second", show.number, right=True, rank=5),
    Column("failed", show=show.number, right=True),
    Column("wait_p50_ns", "waits, p50", _took, right=True, rank=3),
    Column("wait_p95_ns", "waits, p95", _took, right=True),
    Column("p50_ns", "p50", _took, right=True, rank=1),
    Column("p95_ns", "p95", _took, right=True),
    Column("running", "now", _counted, right=True),
)
_QUEUES = (
    Column("queue", style="cyan"),
    Column("length", "waiting", _counted, right=True),
    Column("longest", "longest", _counted, right=True, rank=3),
    Column("sent", show=_counted, right=True),
    Column("processed", show=show.number, right=True),
    Column("failed", show=show.number, right=True),
    Column("senders", "from", ", ".join, rank=1),
    Column("consumers", "to", ", ".join, rank=2),
)


def command(argv: Sequence[str]) -> int:
    """List tasks, or queues."""
    if argv and argv[0] == "queues":
        return _list("tasks queues", "List queues: what waits, what is sent and processed.", "queues", argv[1:])
    return _list("tasks", "List background tasks; queues: spanglass tasks queues --help.", "tasks", argv)


def _list(name: str, description: str, key: str, argv: Sequence[str]) -> int:
    parser = options.parser(name, description)
    parser.add_argument("filter", nargs="?", metavar="FILTER", help="look only at spans and metrics that match")
    parser.add_argument("--service", help="only of this service")
    parser.add_argument("--queue", help="only of this queue")
    parser.add_argument("--limit", type=options.positive, default=100, help="at most so many (default 100)")
    options.add_range(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {each: getattr(arguments, each) for each in ("filter", "service", "queue", "limit")}
    answer = options.client(arguments).get(f"/{key}", {**options.range_parameters(arguments), **asked})
    if not emit(arguments.format, _QUEUES if key == "queues" else _TASKS, answer[key]):
        print(f"spanglass {name}: no {key} in this range of time; look further back with --last 7d", file=sys.stderr)
    return Exit.OK
