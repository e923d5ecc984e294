"""``spanglass metrics``: the list of metrics, or one metric over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import Column, console, emit
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from spanglass.cli.client import Client

AGGREGATES = ("raw", "rate", "increase", "avg", "sum", "min", "max", "count", "quantile")


def command(argv: Sequence[str]) -> int:
    """List metrics; with a name, query it."""
    parser = options.parser("metrics", "List metrics; with a name, show it over time.")
    parser.add_argument("name", nargs="?", help="a metric's name; without it, metrics are listed")
    options.add_range(parser)
    query = parser.add_argument_group("query")
    query.add_argument("--aggregate", choices=AGGREGATES, help="what to show of the points of a step")
    query.add_argument("--q", type=float, metavar="0..1", help="which quantile (with --aggregate quantile)")
    query.add_argument(
        "--by",
        metavar="KEYS",
        help="one series for each value of these keys, comma-separated; their sum unless --aggregate says else",
    )
    query.add_argument("--step", metavar="DURATION", help="such as 30s (default: the range over 120)")
    query.add_argument("--filter", help="only points that match")
    query.add_argument("--type", help="when the name has several types")
    query.add_argument("--unit", help="when the name has several units")
    parser.add_argument("--prefix", help="list only names that start so")
    parser.add_argument("--service", help="only metrics, or points, of this service")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if arguments.by and arguments.aggregate is None:
        arguments.aggregate = "sum"
    if arguments.by and arguments.aggregate == "raw":
        raise CliError(
            "--by groups what --aggregate sums up, and raw series are not summed up",
            "add --aggregate sum, avg, rate or another: spanglass metrics --help",
            code=Exit.USAGE,
        )
    client = options.client(arguments)
    if arguments.name is None:
        _list(client, arguments)
    else:
        _query(client, arguments)
    return Exit.OK


def _list(client: Client, arguments: argparse.Namespace) -> None:
    parameters = {
        **options.range_parameters(arguments),
        "prefix": arguments.prefix,
        "service": arguments.service,
    }
    columns = (
        Column("name", style="cyan", whole=True),
        Column("type"),
        Column("unit"),
        Column("temporality", rank=2),
        Column("points", show=show.number, right=True),
        Column("services", show=", ".join, rank=1),
        Column("description", rank=3),
    )
    if not emit(arguments.format, columns, client.get("/metrics", parameters)["metrics"]):
        say_nothing_found("metrics", "metric", client, arguments)


def _query(client: Client, arguments: argparse.Namespace) -> None:
    answer = client.get(
        "/metrics/query",
        {
            **options.range_parameters(arguments),
            **{key: getattr(arguments, key) for key in ("name", "type", "unit", "aggregate", "q", "step", "by")},
            "filter": _filter(arguments),
        },
    )
    if not answer["series"]:
        raise CliError(
            f"no points of the metric {arguments.name!r} in this range",
            "list the metrics there are: spanglass metrics, or look further back with --last",
            code=Exit.NOT_FOUND,
        )
    if arguments.format == "table":
        _draw(answer)
    else:
        columns = (Column("t"), Column("by"), Column("value"))
        emit(arguments.format, columns, _points(answer))


def _filter(arguments: argparse.Namespace) -> str | None:
    """Return the filter, with the service as one more condition."""
    given: str | None = arguments.filter
    if arguments.service is None:
        return given
    service = f"{_SERVICE} = {json.dumps(arguments.service, ensure_ascii=False)}"
    return f"({given}) and {service}" if given and given.strip() else service


def _points(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return one object for each point."""
    for series in answer["series"]:
        for point in series["points"]:
            yield {"name": answer["name"], "unit": answer["unit"], "by": _by(series), **point}


def _draw(answer: dict[str, Any]) -> None:
    """Draw a line for each series: a sparkline, and its least, largest and last values."""
    unit = f", unit {answer['unit']}" if answer["unit"] else ""
    console().line(text(f"{answer['name']}: {answer['aggregate']} by {answer['step_s']} s{unit}", "bold"))
    columns = (
        Column("by", "series", _labels, style="cyan"),
        Column("line", "over time", narrow=_newest, whole=True),
        Column("min", show=show.number, right=True),
        Column("max", show=show.number, right=True),
        Column("last", show=show.number, right=True),
    )
    starts = [point["t"] for series in answer["series"] for point in series["points"]]
    emit("table", columns, [_summary(series, answer["step_s"], starts) for series in answer["series"]])
    for note in answer.get("notes") or []:
        console().line(text(f"! {note}", "yellow"))


def _summary(series: dict[str, Any], step_s: float, starts: list[float]) -> dict[str, Any]:
    """Put a series' points at their steps since the first one of all series; a step without a point is a gap."""
    values = [point["value"] for point in series["points"] if point["value"] is not None]
    slots: list[float | None] = []
    if starts and step_s:
        slots = [None] * (round((max(starts) - min(starts)) / step_s) + 1)
        for point in series["points"]:
            slots[round((point["t"] - min(starts)) / step_s)] = point["value"]
    return {
        "by": _by(series),
        "line": show.sparkline(slots[-_WIDTH:]),
        "min": min(values, default=None),
        "max": max(values, default=None),
        "last": values[-1] if values else None,
    }


def _newest(line: str) -> str:
    """Cut a sparkline where its oldest values are."""
    return line[-_NARROW:]


def _by(series: dict[str, Any]) -> dict[str, Any]:
    """Return what tells a series from the others; of raw series that is also whose they are."""
    service = series.get("resource", {}).get(_SERVICE)
    return series["by"] if service is None else {_SERVICE: service, **series["by"]}


def _labels(by: dict[str, Any]) -> str:
    return " ".join(f"{key}={show.value(item)}" for key, item in by.items()) or "all"


_WIDTH = 120
_NARROW = 20
_SERVICE = "service.name"
