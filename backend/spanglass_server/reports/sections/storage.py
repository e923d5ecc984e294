"""What is stored, by signal, and who sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25
_SENT: Final = ("spans", "logs", "metrics")


async def build(questions: Questions) -> list[Block]:
    """Figures of the disk, a table by signal as it is now, and one of what services sent in the range."""
    status, senders = await questions.together(questions.plain("status"), questions.now("senders"))
    storage, disk = status["storage"], status["disk"]
    signals = sorted(
        (each for each in storage["rows"] if storage["rows"][each]), key=lambda each: -storage["bytes"][each]
    )
    rows = [
        blocks.row(
            signal,
            storage["rows"][signal],
            storage["bytes"][signal],
            storage["bytes"][signal] / storage["rows"][signal],
            storage["oldest_time"].get(signal),
        )
        for signal in signals
    ]
    columns: blocks.Columns = (
        ("Signal", "text"),
        ("Records", "count"),
        ("On disk", "bytes"),
        ("A record", "bytes"),
        ("Oldest", "time"),
    )
    return [
        blocks.figures(
            blocks.figure("On disk", "bytes", sum(storage["bytes"].values())),
            blocks.figure("Disk, free", "bytes", disk["free_bytes"]),
            blocks.figure("Disk", "bytes", disk["total_bytes"]),
        ),
        blocks.table("By signal, when this is written", columns, rows),
        *_by_service(senders["senders"]),
    ]


def _by_service(senders: Sequence[Mapping[str, Any]]) -> list[Block]:
    counts: dict[str, dict[str, int]] = {}
    for each in senders:
        counts.setdefault(each["service"], {})[each["signal"]] = each["records"]
    ranked = sorted(counts.items(), key=lambda pair: -sum(pair[1].values()))
    if not ranked:
        return []
    rows = [blocks.row(service, *(sent.get(signal, 0) for signal in _SENT)) for service, sent in ranked[:_MOST]]
    columns: blocks.Columns = (
        ("Service", "text"),
        ("Spans", "count"),
        ("Log records", "count"),
        ("Data points", "count"),
    )
    return [blocks.table("Sent in this time, by service", columns, rows, len(ranked) - _MOST)]
