"""``spanglass report``: have a report made and get its file, list reports, delete them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.client import API
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

KINDS = ("week", "performance", "health", "usage", "cost")
_FORMATS = ("markdown", "html", "pdf", "csv", "json")
#: Forms that are no text for a terminal.
_FILES = frozenset({"pdf"})
_POLL_S, _SLOWEST_POLL_S = 0.1, 2.0
_COLUMNS = (
    Column("id", "report", style="cyan", whole=True),
    Column("title"),
    Column("service", show=lambda service: service or "", rank=2),
    Column("state"),
    Column("start_time", f"from ({show.zone()})", show.local_time, narrow=show.short_time, rank=4),
    Column("end_time", "to", show.local_time, narrow=show.short_time, rank=4),
    Column("created_time", f"asked for ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("actor", "by", rank=3),
    Column("error", rank=1),
)

_SCHEDULES = (
    Column("id", "schedule", style="cyan", whole=True),
    Column("title"),
    Column("service", show=lambda service: service or "", rank=3),
    Column("cron"),
    Column("zone", rank=2),
    Column("last"),
    Column("channels", show=", ".join),
    Column("format", rank=4),
    Column("next_time", f"next ({show.zone()})", lambda time: show.local_time(time) if time else "off"),
)


def command(argv: Sequence[str]) -> int:
    """Have a report made and print or write it, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser(
        "report", f"Have a report made, and print or write it; or: spanglass report {'|'.join(_ACTIONS)} --help."
    )
    parser.add_argument("kind", choices=KINDS, help="what it is about")
    parser.add_argument("--service", help="only about this service")
    parser.add_argument("--format", choices=_FORMATS, help="its form (default: by the file's name, else markdown)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it here; - is standard output (default)")
    options.add_actor(parser, does="asks for it")
    options.add_range(parser)
    arguments = parser.parse_args(argv)
    form = arguments.format or _form_of(arguments.output)
    is_printed = arguments.output in (None, "-")
    if form in _FILES and is_printed and sys.stdout.isatty():
        raise CliError(f"{form} is no text for a terminal", "give a file with -o FILE", code=Exit.USAGE)
    client = options.client(arguments)
    report = _made(client, arguments)
    content = _file(client, report, form)
    if is_printed:
        sys.stdout.buffer.write(content)
        return Exit.OK
    _write(arguments.output, content)
    print(f"spanglass report: {terminal_text(arguments.output)}, {show.size(len(content))}", file=sys.stderr)
    return Exit.OK


def _form_of(output: str | None) -> str:
    suffix = Path(output or "").suffix.removeprefix(".").lower()
    return {"md": "markdown", "htm": "html"}.get(suffix, suffix if suffix in _FORMATS else _FORMATS[0])


def _made(client: Client, arguments: argparse.Namespace) -> str:
    """Ask for a report and wait until it is done; its id."""
    wanted = {"kind": arguments.kind, "service": arguments.service, "actor": arguments.actor}
    asked = {**wanted, **options.range_parameters(arguments)}
    report = client.post("/reports", {name: text for name, text in asked.items() if text})
    pause_s, told = _POLL_S, ""
    while report["state"] in ("waiting", "running"):
        time.sleep(pause_s)
        pause_s = min(_SLOWEST_POLL_S, 1.5 * pause_s)
        report = client.get(f"/reports/{options.segment(report['id'])}")
        told = _tell(report, told)
    if told:
        print("\r\033[K", end="", file=sys.stderr)
    if report["state"] == "failed":
        raise CliError(f"the report could not be made: {terminal_text(report['error'])}")
    return str(report["id"])


def _tell(report: dict[str, Any], before: str) -> str:
    """Say on a terminal how far it is."""
    progress = report["progress"]
    line = f"{progress['done']} of {progress['total']}: {progress['section']}" if progress["total"] else report["state"]
    if line != before and sys.stderr.isatty():
        print(f"\r\033[K{terminal_text(line)}", end="", file=sys.stderr, flush=True)
        return line
    return before


def _file(client: Client, report: str, form: str) -> bytes:
    response = client.request("GET", f"{API}/reports/{options.segment(report)}/file?format={form}")
    if response.status != 200:  # noqa: PLR2004 - OK
        raise client.error(response)
    return response.body


def _write(output: str, content: bytes) -> None:
    """Write a file as a whole, or not at all; a pipe or device, such as /dev/null, is written to."""
    path = Path(output)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        reason = error.strerror or error
        raise CliError(f"{terminal_text(output)} can't be written: {reason}", "name another file with -o") from None


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _list(argv: Sequence[str]) -> int:
    parser = options.parser("report list", "List reports that were asked for, the newest first.")
    parser.add_argument("--kind", choices=KINDS, help="only of this kind")
    parser.add_argument("--service", help="only about this service")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {"kind": arguments.kind, "service": arguments.service}
    reports = [{**each, **each["window"]} for each in options.client(arguments).get("/reports", asked)["reports"]]
    if not emit(arguments.format, _COLUMNS, reports):
        print("spanglass report: no report was asked for; spanglass report week makes one", file=sys.stderr)
    return Exit.OK


def _delete(argv: Sequence[str]) -> int:
    parser = options.parser("report delete", "Delete reports; one that is being made is stopped.")
    parser.add_argument("reports", nargs="+", metavar="REPORT", help="their ids")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for each in arguments.reports:
        client.send("DELETE", f"/reports/{options.segment(each)}", {})
    return Exit.OK


def _schedule(argv: Sequence[str]) -> int:
    parser = options.parser("report schedule", "Have a report made at times of crontab, and channels told of it.")
    parser.add_argument("kind", choices=KINDS, help="what it is about")
    parser.add_argument("--cron", required=True, metavar="TIMES", help="times of crontab: '0 8 * * mon', @weekly")
    parser.add_argument("--zone", help="their time zone (default UTC)")
    parser.add_argument("--last", metavar="DURATION", help="how long the range before each is (default 7d)")
    parser.add_argument("--service", help="only about this service")
    parser.add_argument("--channel", dest="channels", action="append", metavar="NAME", help="who is told; repeat it")
    parser.add_argument(
        "--file", dest="form", choices=_FORMATS, help="the form that mails have with them (default pdf)"
    )
    options.add_actor(parser, does="asks for it")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    named = ("kind", "cron", "zone", "last", "service", "channels", "actor")
    body = {name: getattr(arguments, name) for name in named} | {"format": arguments.form}
    kept = options.client(arguments).post("/report-schedules", {name: one for name, one in body.items() if one})
    emit(arguments.format, _SCHEDULES, [kept])
    return Exit.OK


def _schedules(argv: Sequence[str]) -> int:
    parser = options.parser("report schedules", "List schedules of reports.")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if not emit(arguments.format, _SCHEDULES, options.client(arguments).get("/report-schedules")["schedules"]):
        print("spanglass report: no report is scheduled", file=sys.stderr)
    return Exit.OK


def _unschedule(argv: Sequence[str]) -> int:
    parser = options.parser("report unschedule", "Delete schedules; their reports stay.")
    parser.add_argument("schedules", nargs="+", metavar="SCHEDULE", help="their ids")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for each in arguments.schedules:
        client.send("DELETE", f"/report-schedules/{options.segment(each)}", {})
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "delete": _delete,
    "schedule": _schedule,
    "schedules": _schedules,
    "unschedule": _unschedule,
}
