"""``spanglass costs``: what telemetry takes on disk and costs, and what to drop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: As the page has it: what comes in an hour says little of a month.
_DEFAULT_LAST = "7d"
#: What can be listed: the list of the answer, and its columns.
_LISTS = {
    "signal": (
        "signals",
        ("signal", "stored_bytes", "bytes", "share", "bytes_a_day", "records_a_day", "received_a_day", "kept_days"),
    ),
    "service": ("services", ("service", "bytes", "share", "bytes_a_day", "spans", "logs", "metrics")),
    "attribute": ("attributes", ("signal", "attribute", "bytes", "share", "bytes_a_day", "values", "services")),
    "saving": ("savings", ("kind", "signal", "attribute", "services", "bytes_a_month", "share", "place", "remedy")),
}
_COLUMNS = {
    "kept_days": Column("kept_days", "kept days", right=True),
    "service": Column("service", style="cyan"),
    "attribute": Column("attribute", style="cyan"),
    "stored_bytes": Column("stored_bytes", "on disk", show.size, right=True),
    "bytes": Column("bytes", "in range", show.size, right=True),
    "bytes_a_day": Column("bytes_a_day", "a day", show.size, right=True),
    "bytes_a_month": Column("bytes_a_month", "a month", show.size, right=True),
    "share": Column("share", "share", lambda share: f"{share:.1%}", right=True),
    "services": Column("services", rank=2),
    "place": Column("place", rank=3),
    "remedy": Column("remedy", "a line that drops it", rank=1),
    **{name: Column(name, name, lambda count: f"{count:.0f}", right=True) for name in ("spans", "logs", "metrics")},
    "received_a_day": Column("received_a_day", "wire a day", show.size, right=True, rank=4),
    "records_a_day": Column("records_a_day", "records a day", lambda count: f"{count:.0f}", right=True),
}


def command(argv: Sequence[str]) -> int:
    """List what is stored by signal, service or attribute, or what could be dropped."""
    parser = options.parser("costs", "List what telemetry takes on disk and costs, or what to drop (--by saving).")
    parser.add_argument("--by", choices=tuple(_LISTS), default="signal", help="what to list (default signal)")
    parser.add_argument("--limit", type=options.positive, default=50, help="at most so many (default 50)")
    options.add_range(parser, default=_DEFAULT_LAST)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if arguments.last is arguments.start is arguments.end is None:
        arguments.last = _DEFAULT_LAST
    answer = options.client(arguments).get("/costs", {**options.range_parameters(arguments), "limit": arguments.limit})
    key, names = _LISTS[arguments.by]
    columns = [_COLUMNS.get(name, Column(name)) for name in names]
    if answer["priced"]:
        columns.append(Column("price", f"{answer['currency']} a month", _money, right=True))
    emit(arguments.format, columns, [_row(each) for each in answer[key]][: arguments.limit])
    if not answer["stored_bytes"]:
        print("spanglass costs: nothing is on disk yet; records are written within half a minute", file=sys.stderr)
    elif arguments.format == "table":
        start, end = (show.local_time(answer["window"][name]) for name in ("start_time", "end_time"))
        sizes = f"{show.size(answer['stored_bytes'])} on disk, {show.size(answer['bytes_a_day'])} a day"
        print(f"{sizes}, from {start} to {end} ({show.zone()})", file=sys.stderr)
    return Exit.OK


def _money(amount: float | None) -> str:
    return show.value(None) if amount is None else f"{amount:.2f}"


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the name of an attribute, and the names of services."""
    row = dict(found)
    if "key" in row:
        row["attribute"] = row["key"] if row["position"] is None else f"{row['position']}.{row['key']}"
    if "services" in row:
        row["services"] = ", ".join(sender["service"] for sender in row["services"])
    return row
