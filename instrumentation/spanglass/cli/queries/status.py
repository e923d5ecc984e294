"""``spanglass status``: whether the server is well, what it stores, and what it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def command(argv: Sequence[str]) -> int:
    """Print the server's state; the exit code is 1 when it is not ready or not well."""
    parser = options.parser("status", "Show the server's health, storage and counters.")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    status = client.get("/status")
    if arguments.format == "ndjson":
        print_json(status)
    elif arguments.format == "csv":
        emit("csv", (Column("name"), Column("labels"), Column("value")), _counters(status))
    else:
        _draw(status, client.url)
    return Exit.OK if status["ready"] and not status["health"] else Exit.FAILED


def _draw(status: dict[str, Any], url: str) -> None:
    out = console()
    out.line(text(f"spanglass {status['version']} at {url}", "bold"))
    out.line(text(_sentence(status), "red" if status["health"] else ""))
    out.line()
    storage = status["storage"]
    columns = (
        Column("signal"),
        Column("rows", show=show.number, right=True),
        Column("buffer_rows", "in memory", show.number, right=True),
        Column("segments", show=show.number, right=True),
        Column("bytes", "on disk", show.size, right=True),
        Column("oldest_time", f"oldest ({show.zone()})", show.local_time),
    )
    emit("table", columns, [_signal(storage, signal) for signal in storage["rows"]])
    out.line(text(f"journal {show.size(storage['journal_bytes'])}", "dim"))
    counted = [entry for entry in _counters(status) if entry["value"]]
    if counted:
        out.line()
        emit(
            "table",
            (Column("name", "counter"), Column("labels"), Column("value", show=show.number, right=True)),
            counted,
        )


def _sentence(status: dict[str, Any]) -> str:
    """Say in a sentence whether the server is well, and whether it turned anything away."""
    up = show.duration(status["uptime_s"] * 1e9)
    if status["health"]:
        return f"Not well: {status['health']}."
    if not status["ready"]:
        return f"Starting, up {up}."
    refused = sum(entry.get("times", 1) for entry in status.get("rejections") or [])
    return f"All is well, up {up}: {f'turned away {refused} times of late' if refused else 'nothing was turned away'}."


def _signal(storage: dict[str, Any], signal: str) -> dict[str, Any]:
    keys = ("rows", "buffer_rows", "segments", "bytes", "oldest_time")
    return {"signal": signal, **{key: storage[key].get(signal) for key in keys}}


def _counters(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return one object for each series of each counter; a histogram is its count, and its sum."""
    for name, counter in status["counters"].items():
        for series in counter["series"]:
            labels = ", ".join(f"{key}={item}" for key, item in series["labels"].items())
            if "value" in series:
                yield {"name": name, "labels": labels, "value": series["value"]}
            else:
                yield {"name": f"{name}_count", "labels": labels, "value": series["count"]}
                yield {"name": f"{name}_sum", "labels": labels, "value": round(series["sum_s"], 3)}
