"""``spanglass export``: everything of a range as files, or as one database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.transfer import database
from spanglass.cli.transfer.fetching import Fetcher, asked_for, frames
from spanglass.cli.transfer.job import KEPT, SENT, Columns, Job, Part, load
from spanglass.cli.transfer.progress import Progress
from spanglass.terminal import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from spanglass.cli.client import Client

FORMATS = ("parquet", "duckdb", "ndjson", "csv", "otlp")
_STREAMED = frozenset({"ndjson", "csv", "otlp"})
_DIRECTORY = "spanglass-export"


def command(argv: Sequence[str]) -> int:
    """Export a range; the same command again goes on where it was ended."""
    arguments = _parser().parse_args(argv)
    signals = _signals(arguments)
    client = options.client(arguments)
    if arguments.output == "-":
        return _stream(client, arguments, signals)
    target = Path(arguments.output or (f"{_DIRECTORY}.duckdb" if arguments.format == "duckdb" else _DIRECTORY))
    if arguments.format == "duckdb":
        database.check_installed()
        if target.exists() and not arguments.restart:
            raise CliError(f"{target} is there already", "choose another --output, or begin anew with --restart")
        directory = target.with_name(f"{target.name}.parts")
    else:
        directory = target
    job = _job(client, arguments, signals, directory)
    expected = sum(part.estimate for part in job.missing())
    with Progress("exported", 0 if arguments.filter else expected) as progress:
        Fetcher(client, job, _parameters(arguments), arguments.retry_for).fetch_all(arguments.parallel, progress)
    if arguments.format == "duckdb":
        database.build(job, target)
        try:
            job.remove()
        except OSError as error:
            raise CliError(f"{target} is whole, but {directory} can't be deleted: {error.strerror}") from None
    print(f"exported {_counts(job)} to {target}{_pace(progress)}")
    return Exit.OK


def _parser() -> argparse.ArgumentParser:
    parser = options.parser("export", "Export everything of a range: the same command again goes on where it ended.")
    parser.add_argument("--filter", metavar="FILTER", help="only spans, log records and data points that match")
    parser.add_argument(
        "--signal",
        action="append",
        choices=(*SENT, *KEPT),
        help="what to export, again and again; default spans, logs, metrics, of duckdb also what the server keeps",
    )
    options.add_range(parser)
    parser.add_argument("--format", choices=FORMATS, default="parquet", help="form of the files (default parquet)")
    parser.add_argument(
        "--names",
        choices=("stored", "readable"),
        help="columns as they are stored, which import takes, or as SQL sees them (default stored, of csv readable)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help=f"directory of the files, file of the database, or - for standard output (default {_DIRECTORY})",
    )
    parser.add_argument("--restart", action="store_true", help="begin anew where an export is there already")
    parser.add_argument(
        "--part", type=options.positive, default=1_000_000, metavar="N", help="about how many records a file has"
    )
    parser.add_argument(
        "--parallel", type=options.positive, default=2, metavar="N", help="how many parts at once (default 2)"
    )
    parser.add_argument(
        "--retry-for", type=float, default=60.0, metavar="SECONDS", help="how long to try a part again (default 60)"
    )
    return parser


def _signals(arguments: argparse.Namespace) -> list[str]:
    chosen = list(dict.fromkeys(arguments.signal or ()))
    if arguments.format == "otlp" and set(chosen) & set(KEPT):
        raise CliError("OTLP has spans, logs and metrics only", "choose another --format", code=Exit.USAGE)
    if arguments.names == "readable" and arguments.format in {"otlp", "duckdb"}:
        raise CliError("--names is for parquet, ndjson and csv; duckdb has both", code=Exit.USAGE)
    return chosen or [*SENT, *(KEPT if arguments.format == "duckdb" else ())]


def _parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """What every part is asked with."""
    form = "parquet" if arguments.format == "duckdb" else arguments.format
    return {"filter": arguments.filter, "format": form, "names": arguments.names}


def _stream(client: Client, arguments: argparse.Namespace, signals: Sequence[str]) -> int:
    """Write one signal to standard output, in one go."""
    if arguments.format not in _STREAMED or len(signals) != 1:
        hint = "name one --signal, and --format ndjson, csv or otlp"
        raise CliError("standard output takes one signal as text", hint, code=Exit.USAGE)
    asked = {**asked_for(_parameters(arguments), signals[0]), **options.range_parameters(arguments)}
    for content, _ in frames(client, asked):
        sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return Exit.OK


def _job(client: Client, arguments: argparse.Namespace, signals: Sequence[str], directory: Path) -> Job:
    """Return the job of a directory, the one that is there or a new one."""
    question = {
        **_parameters(arguments),
        **options.range_parameters(arguments),
        "signals": list(signals),
        "format": arguments.format,
        "rows": arguments.part,
    }
    found = None if arguments.restart else load(directory)
    if found is None:
        return _begin(client, question, signals, directory, restart=arguments.restart)
    if found.question != question:
        differing = ", ".join(sorted(name for name in question if found.question.get(name) != question[name]))
        hint = "choose another --output, or begin anew with --restart"
        raise CliError(f"{directory} has an export of something else ({differing})", hint, code=Exit.USAGE)
    return found


def _begin(client: Client, question: dict[str, Any], signals: Sequence[str], directory: Path, *, restart: bool) -> Job:
    """Ask the server for parts, all of one range, and make the directory."""
    form = "parquet" if question["format"] == "duckdb" else question["format"]
    job = Job(directory, question, {}, form, [])
    for signal in sorted(signals, key=(*SENT, *KEPT).index):
        _plan(client, job, signal)
    try:
        if restart and (old := load(directory)) is not None:
            old.remove()
        directory.mkdir(parents=True, exist_ok=True)
        if any(job.path(part).exists() for part in job.parts):
            raise CliError(f"{directory} has files of such names already", "choose another --output, or --restart")
        job.save()
    except OSError as error:
        raise CliError(f"{directory} can't be made: {error.strerror}") from None
    return job


def _plan(client: Client, job: Job, signal: str) -> None:
    """Add the parts of a signal to a job, and the range if it has none yet."""
    asked = {name: job.question[name] for name in ("last", "start", "end")}
    range_ = {"start": job.window["start_time"], "end": job.window["end_time"]} if job.window else asked
    if signal in KEPT and job.window:
        job.parts.append(Part(signal, 1, None, 0))
        return
    of = "spans" if signal in KEPT else signal  # for the range alone
    asked_for = {"signal": of, "filter": job.question["filter"], "rows": job.question["rows"]}
    plan = client.get("/export/plan", {**asked_for, **range_})
    job.window = plan["window"]
    if signal in KEPT:
        job.parts.append(Part(signal, 1, None, 0))
        return
    stored = {each["name"]: each["type"] for each in plan["stored"]}
    job.columns[signal] = Columns(stored, {each["name"]: each["sql"] for each in plan["readable"]})
    job.parts += [Part(signal, n, each["part"], each["rows"]) for n, each in enumerate(plan["parts"], 1)]


def _counts(job: Job) -> str:
    counted = dict.fromkeys((part.signal for part in job.parts), 0)
    for part in job.parts:
        counted[part.signal] += part.records or 0
    return ", ".join(f"{count:,} {signal}" for signal, count in counted.items())


def _pace(progress: Progress) -> str:
    if not progress.records:
        return ""
    rate = progress.records / max(progress.elapsed_s, 1e-3)
    return f" ({show.size(progress.bytes)}, {rate:,.0f} records a second)"
