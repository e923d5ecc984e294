"""``spanglass logs``: search log records, or follow them as they arrive."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.client import Client, UnreachableError
from spanglass.cli.errors import Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import CsvWriter, console, print_json
from spanglass.cli.queries import log_lines
from spanglass.terminal import show
from spanglass.terminal.printing import Console, text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    Printer = Callable[[Iterable[dict[str, Any]]], None]

_POLL_S = 1.0
_PAGE = 1000

_STYLES = {"error": "red", "fatal": "red bold", "warn": "yellow", "debug": "dim", "trace": "dim"}

#: What stands before a line that was searched for, one around it, and one of a plain list.
_MARKS = {True: "> ", False: "  ", None: ""}

_CSV_KEYS = (
    "time",
    "severity",
    "service",
    "body",
    "event_name",
    "trace_id",
    "span_id",
    "attributes",
    "resource",
)


def command(argv: Sequence[str]) -> int:
    """Print log records, oldest first, so that the newest stand above the prompt."""
    parser = options.parser("logs", "Search log records; the newest that match are printed, oldest first.")
    parser.add_argument("filter", nargs="?", help='such as: severity >= warn service:checkout "card declined"')
    options.add_range(parser)
    parser.add_argument("--limit", type=options.positive, default=100, help="how many at most (default 100)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new records until Ctrl-C")
    log_lines.add_options(parser)
    parser.add_argument("--attributes", action="store_true", help="show the records' attributes too (table)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    show_records = _printer(arguments)
    has_context = log_lines.is_wanted(parser, arguments)
    records, newest = _newest(client, arguments)
    if has_context:
        parts = log_lines.groups(client, arguments, records)
        log_lines.show(parts, show_records, "--" if arguments.format == "table" else None)
    else:
        show_records(records)
    if not records:
        say_nothing_found("logs", "log record", client, arguments)
    if arguments.follow:
        _follow(client, arguments, newest, show_records)
    return Exit.OK


def _newest(client: Client, arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], str | None]:
    """Fetch the newest records, oldest first, and the cursor of the very newest."""
    parameters = {**options.range_parameters(arguments), "filter": arguments.filter}
    records: list[dict[str, Any]] = []
    newest = cursor = None
    while len(records) < arguments.limit:
        limit = min(arguments.limit - len(records), _PAGE)
        page = client.get("/logs", {**parameters, "limit": limit, "cursor": cursor})
        newest = newest or page.get("newest_cursor")
        records += page["logs"]
        cursor = page.get("next_cursor")
        if cursor is None or not page["logs"]:
            break
    return records[::-1], newest


def _follow(client: Client, arguments: argparse.Namespace, newest: str | None, show_records: Printer) -> None:
    """Ask for records after the newest one seen, again and again; a server that restarts is waited for."""
    reachable = True
    while True:
        try:
            page = client.get("/logs", {"filter": arguments.filter, "after": newest, "limit": _PAGE})
        except UnreachableError as error:
            if reachable:
                print(f"spanglass logs: {error}; waiting for it", file=sys.stderr, flush=True)
            reachable = False
            time.sleep(_POLL_S)
            continue
        reachable = True
        show_records(page["logs"])
        newest = page.get("newest_cursor") or newest
        if len(page["logs"]) < _PAGE:
            time.sleep(_POLL_S)


def _printer(arguments: argparse.Namespace) -> Printer:
    """Choose how records are written; each call appends."""
    if arguments.format == "ndjson":
        return _print_ndjson
    if arguments.format == "csv":
        writer = CsvWriter(_CSV_KEYS)
        return lambda records: writer.rows([record.get(key) for key in _CSV_KEYS] for record in records)
    out = console()
    return lambda records: _print_lines(out, records, with_attributes=arguments.attributes)


def _print_ndjson(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        print_json(record)


def _print_lines(out: Console, records: Iterable[dict[str, Any]], *, with_attributes: bool) -> None:
    for record in records:
        severity = record["severity"]
        line = text(_MARKS[record.get("hit")])
        line += text(f"{show.local_time(record['time'])} ", "dim")
        line += text(f"{severity if severity != 'unset' else show.NOTHING:<5} ", _STYLES.get(severity, ""))
        line += text(f"{record['service']:<16} ", "cyan") + text(_message(record))
        if with_attributes:
            pairs = " ".join(f"{key}={show.value(item)}" for key, item in sorted(record["attributes"].items()))
            line += text(f"  {pairs}", "dim")
        out.line(line)
    sys.stdout.flush()


def _message(record: dict[str, Any]) -> str:
    """Write the body, or where a record has none its event's name or its exception."""
    body, event, attributes = record["body"], record.get("event_name") or "", record.get("attributes", {})
    if body in (None, "") and event in {"", "exception"}:
        texts = (attributes.get(key) for key in ("exception.type", "exception.message"))
        event = ": ".join(str(text) for text in texts if text) or event
    return show.value((event or None) if body in (None, "") else body)
