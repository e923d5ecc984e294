"""``spanglass query``: PromQL at one time, or over a range of it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import CsvWriter, print_json
from spanglass.cli.queries.query_tables import at_steps, draw_chart, print_instant, print_range
from spanglass.terminal.safe import terminal_text
from spanglass_core.units import UnitError, parse_duration_ns

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

_NS = 1_000_000_000
_DEFAULT_RANGE = "1h"
#: Steps of a range that is not given one: the shortest that makes at most this many, and is round.
_STEPS = 120
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True)
class _Range:
    """The steps that are asked for, in seconds since 1970."""

    start_s: float
    end_s: float
    step_s: float


def command(argv: Sequence[str]) -> int:
    """Print what an expression evaluates to."""
    parser = options.parser("query", "Evaluate PromQL at one time, or with --range at steps of a range.")
    parser.add_argument("query", help="such as: sum by (job) (rate(http_server_request_duration_seconds_count[5m]))")
    group = parser.add_argument_group("time")
    group.add_argument("--time", metavar="TIME", help="when, or the end of the range: RFC 3339, Unix time, now-2h")
    group.add_argument("--range", metavar="DURATION", help="evaluate over so long: 15m, 2h, 7d")
    group.add_argument("--step", metavar="DURATION", help="from step to step of the range (default: about 120 steps)")
    parser.add_argument("--chart", action="store_true", help=f"draw the range (--range {_DEFAULT_RANGE} unless said)")
    parser.add_argument("--limit", type=options.positive, help="how many series at most")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if arguments.chart and arguments.format != "table":
        raise CliError("--chart is for people, --format for programs", "leave out one of them", code=Exit.USAGE)
    asked = _range(arguments)
    client = options.client(arguments)
    if asked is None:
        moment = None if arguments.time is None else repr(_time_s(arguments.time))
        answer = client.promql("/query", {"query": arguments.query, "time": moment, "limit": arguments.limit})
    else:
        times = {"start": repr(asked.start_s), "end": repr(asked.end_s), "step": repr(asked.step_s)}
        answer = client.promql("/query_range", {"query": arguments.query, **times, "limit": arguments.limit})
    _print(arguments, answer["data"], asked)
    for note in [*answer.get("warnings", []), *answer.get("infos", [])]:
        print(f"spanglass query: {terminal_text(note)}", file=sys.stderr)
    return Exit.OK


def _print(arguments: argparse.Namespace, data: dict[str, Any], asked: _Range | None) -> None:
    series = _series(data)
    if not series:
        when = "at this time" if asked is None else "in this range"
        print(f"spanglass query: the answer has no series {when}", file=sys.stderr)
    elif arguments.format == "ndjson":
        for one in series:
            print_json(one)
    elif arguments.format == "csv":
        _write_csv(series)
    elif asked is None:
        print_instant(series, data["resultType"])
    else:
        size = round((asked.end_s - asked.start_s) // asked.step_s) + 1
        lines = [at_steps(one, asked.start_s, asked.step_s, size) for one in series]
        if arguments.chart:
            draw_chart(series, lines, asked.start_s, asked.end_s)
        else:
            print_range(series, lines)
    if not series and arguments.format == "csv":
        CsvWriter(["time", "value"])


def _series(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The series of an answer; a scalar or a string is one without labels."""
    if data["resultType"] in {"scalar", "string"}:
        return [{"metric": {}, "value": data["result"]}]
    result: list[dict[str, Any]] = data["result"]
    return result


def _write_csv(series: Sequence[dict[str, Any]]) -> None:
    """A column for the time, one for each label, one for the value; a row for each sample."""
    names = sorted({name for one in series for name in one["metric"]})
    writer = CsvWriter(["time", *names, "value"])
    writer.rows(
        [_utc(at), *(one["metric"].get(name, "") for name in names), value]
        for one in series
        for at, value in _samples(one)
    )


def _samples(one: dict[str, Any]) -> Iterator[tuple[float, Any]]:
    alone = [one[key] for key in ("value", "histogram") if key in one]
    yield from sorted([*alone, *one.get("values", []), *one.get("histograms", [])], key=lambda sample: sample[0])


def _utc(time_s: float) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%S}.{round(time_s % 1 * 1000):03d}Z"


def _range(arguments: argparse.Namespace) -> _Range | None:
    text = arguments.range or (_DEFAULT_RANGE if arguments.chart else None)
    if text is None:
        if arguments.step is not None:
            raise CliError("--step is for a range", "add --range 1h", code=Exit.USAGE)
        return None
    end_s = time.time() if arguments.time is None else _time_s(arguments.time)
    length_s = _duration_s("--range", text)
    step_s = _round_step(length_s) if arguments.step is None else _duration_s("--step", arguments.step)
    # whole steps since 1970, so that the same question a little later gets the same values
    end_s = end_s // step_s * step_s if arguments.time is None else end_s
    return _Range(end_s - length_s, end_s, step_s)


def _round_step(length_s: float) -> float:
    return next((step for step in _ROUND_S if length_s / step <= _STEPS), length_s / _STEPS)


def _duration_s(option: str, text: str) -> float:
    try:
        duration_ns = parse_duration_ns(text)
    except UnitError as error:
        raise CliError(f"{option}: {error}", "write it like 30s, 15m or 2h", code=Exit.USAGE) from None
    if duration_ns <= 0:
        raise CliError(f"{option} must be longer than nothing", "write it like 30s, 15m or 2h", code=Exit.USAGE)
    return duration_ns / _NS


def _time_s(text: str) -> float:
    """Read a time: RFC 3339 (UTC when it names no zone), Unix time in seconds, ``now-15m``."""
    text = text.strip()
    try:
        if text.startswith("now"):
            rest = text.removeprefix("now").replace(" ", "")
            return time.time() + (parse_duration_ns(rest.lstrip("+")) / _NS if rest else 0)
        if text.replace(".", "", 1).isdigit():
            return float(text)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, UnitError):
        raise CliError(
            f"--time: {terminal_text(repr(text))} is not a time",
            "write it like 2026-11-21T11:34:48Z, Unix time in seconds, or now-15m",
            code=Exit.USAGE,
        ) from None
