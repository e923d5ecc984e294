"""``spanglass trace``: one trace as a tree with durations, bars, errors and events."""

from __future__ import annotations

from string import hexdigits
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, console, emit
from spanglass.terminal import show
from spanglass.terminal.printing import Text, text
from spanglass.terminal.tree import branches
from spanglass_core.ids import TRACE_ID_FORM, read_trace_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.cli.client import Client

_BAR_WIDTH = 30
_NARROW_BAR_WIDTH = 10  # on terminals of less than _NARROW columns
_NARROW = 100
_SHORTEST_PREFIX, _ID_DIGITS = 4, 32

_COLUMNS = (
    Column("span_id"),
    Column("parent_span_id"),
    Column("key"),
    Column("parent_key"),
    Column("depth"),
    Column("service"),
    Column("name"),
    Column("kind"),
    Column("start_time"),
    Column("duration_ns"),
    Column("self_time_ns"),
    Column("status"),
    Column("status_message"),
    Column("state"),
    Column("last_heard_time"),
)

_WARNINGS = {
    "missing_root": "the first span has not arrived",
    "orphans": "some spans' parents have not arrived",
    "clock_skew": "clocks of services differ; offsets are corrected",
    "unknown_start": "some spans have no usable start; they begin with their parents",
    "cycle": "some spans name each other as parent",
}


def command(argv: Sequence[str]) -> int:
    """Print one trace; ndjson and csv have a line for each span."""
    parser = options.parser("trace", "Show one trace as a tree.")
    parser.add_argument("trace_id", help=f"{TRACE_ID_FORM}, or the first of them")
    parser.add_argument("--attributes", action="store_true", help="show the spans' attributes too")
    parser.add_argument("--otlp", action="store_true", help="print OTLP/JSON, which `spanglass send -` takes")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    path = f"/traces/{_trace_id(arguments.trace_id, client)}"
    if arguments.otlp:
        # the bytes as they came: reading and writing them again could change a number
        response = client.request("GET", f"/api/v1{path}?format=otlp")
        if response.status != 200:  # noqa: PLR2004 - OK
            raise client.error(response)
        print(response.body.decode())
        return Exit.OK
    trace = client.get(path)
    if arguments.format == "table":
        _draw(trace, with_attributes=arguments.attributes)
        console().line()
        console().line(text(f"{client.url}/traces/{trace['trace_id']}", "dim"))
    else:
        emit(arguments.format, _COLUMNS, trace["spans"])
    return Exit.OK


def _trace_id(given: str, client: Client) -> str:
    """Read an id, or find the one that begins so."""
    digits = given.replace("-", "").lower()
    trace_id = read_trace_id(digits)
    if trace_id is None and _SHORTEST_PREFIX <= len(digits) < _ID_DIGITS and not set(digits) - set(hexdigits):
        return _beginning(digits, client)
    if trace_id is None:
        raise CliError(
            f"{given!r} is not a trace id",
            f"a trace id has {TRACE_ID_FORM}; its first {_SHORTEST_PREFIX} or more do where no other begins so",
            code=Exit.USAGE,
        )
    return trace_id


def _beginning(digits: str, client: Client) -> str:
    """Return the id of the one trace whose id begins so: of the last day, else of all time."""
    found: list[dict[str, Any]] = []
    for window in ({"last": "1d"}, {"start": "0"}):
        found = found or client.get("/traces", {**window, "filter": f"trace_id = {digits}*", "limit": 2})["traces"]
    if not found:
        raise CliError(f"no trace has an id that begins with {digits}", "search: spanglass traces", code=Exit.NOT_FOUND)
    if len(found) > 1:
        first, second = (trace["trace_id"] for trace in found)
        raise CliError(
            f"several traces have an id that begins with {digits}",
            f"{first}, {second}: give more of it",
            code=Exit.USAGE,
        )
    return str(found[0]["trace_id"])


def _draw(trace: dict[str, Any], *, with_attributes: bool) -> None:
    out = console()
    bar_width = _BAR_WIDTH if out.width >= _NARROW else _NARROW_BAR_WIDTH
    out.line(text(f"trace {trace['trace_id']}", "bold"))
    errors = f", {show.counted(trace['error_count'], 'error')}" if trace["error_count"] else ""
    out.line(
        text(
            f"{show.local_time(trace['start_time'])} {show.zone()}, {show.duration(trace['duration_ns'])}, "
            f"{show.counted(trace['span_count'], 'span')}{errors}{_not_ended(trace)}"
        )
    )
    for warning in trace["warnings"]:
        out.line(text(f"! {_WARNINGS.get(warning, warning)}", "yellow"))
    if failure := trace.get("failure"):
        out.line(text(_failure(failure), "red"), cut=True)
    out.line()
    spans = trace["spans"]
    prefixes = branches([span["depth"] for span in spans])
    for span, (here, below) in zip(spans, prefixes, strict=True):
        out.line(_span_line(span, here, trace["duration_ns"], bar_width), cut=True)
        for line in _notes(span, with_attributes=with_attributes):
            out.line(text(" " * (bar_width + 12)) + text(below, "dim") + line, cut=True)


def _not_ended(trace: dict[str, Any]) -> str:
    """Count the spans that are running, or were lost with their process; servers before these did not."""
    counts = [(trace.get(f"{state}_count", 0), state) for state in ("running", "lost")]
    return "".join(f", {count} {state}" for count, state in counts if count)


def _span_line(span: dict[str, Any], prefix: str, total_ns: int, bar_width: int) -> Text:
    """Bar, duration, tree, service and name of a span on one line; red when it failed."""
    failed = span["status"] == "error"
    drawn = show.bar(span["offset_ns"], span["duration_ns"], total_ns, bar_width)
    line = text(drawn, "red" if failed else "cyan") + text(f" {show.duration(span['duration_ns']):>10} ")
    line += text(prefix, "dim") + text(f"{span['service']} ", "bold") + text(span["name"])
    if span["kind"] not in {"internal", "unspecified"}:
        line += text(f" ({span['kind']})", "dim")
    state = span.get("state")
    if state == "running":
        line += text(" running", "cyan bold")
    elif state == "lost":
        line += text(f" lost, last heard {show.local_time(span['last_heard_time'])}", "yellow bold")
    if failed:
        line += text(" error", "red bold") + text(f": {said}" if (said := _reason(span)) else "")
    return line


def _failure(failure: dict[str, Any]) -> str:
    """Say in a line where the trace began to fail, whom that span called, and why."""
    peer = failure["peer"] or {}
    address = ":".join(str(peer[part]) for part in ("host", "port") if peer.get(part) is not None)
    service = peer.get("service")
    to = f" to {address} ({service})" if address and service else f" to {address or service}" if peer else ""
    why = f": {failure['reason']}" if failure["reason"] else ""
    return f"! it began to fail in {failure['name'] or '(no name)'}{to} of {failure['service']}{why}"


def _reason(span: dict[str, Any]) -> str:
    """Say in a line why a span failed; servers before these had the status message only."""
    return " ".join((span.get("reason") or span["status_message"]).split())


def _notes(span: dict[str, Any], *, with_attributes: bool) -> list[Text]:
    """List what stands below a span: its attributes, and its events with their time since the span's start."""
    notes = []
    if with_attributes:
        notes += [text(f"{key} = {show.value(item)}", "dim") for key, item in sorted(span["attributes"].items())]
    for event in span["events"]:
        after = show.duration(event["offset_ns"])
        notes.append(text(f"• {event['name']}", "yellow") + text(f" at +{after}{_summary(event['attributes'])}"))
    return notes


def _summary(attributes: dict[str, Any]) -> str:
    """Write an exception as ``: Type: message``, another event's attributes as ``key=value``; no stack trace."""
    kind, message = attributes.get("exception.type"), attributes.get("exception.message")
    if kind is not None or message is not None:
        return ": " + ": ".join(show.value(part) for part in (kind, message) if part is not None)
    pairs = " ".join(f"{key}={show.value(item)}" for key, item in attributes.items())
    return f": {pairs}" if pairs else ""
