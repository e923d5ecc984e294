"""``spanglass oncall``: who is on call, and whom escalations that run have told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _who(duty: dict[str, Any] | None) -> str:
    if duty is None:
        return show.NOTHING
    return str(duty["full_name"] or duty["person"] or "nobody")


def _once(names: Iterable[str]) -> list[str]:
    """Names in their order, each once: a person is told over several channels, and at several steps."""
    return list(dict.fromkeys(names))


_NOW = (
    Column("rota", style="cyan", whole=True),
    Column("now", "on call", _who),
    Column("until", f"until ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("why", rank=2),
    Column("next", "then", _who, rank=1),
)
_DUTIES = (
    Column("start", f"from ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("end", "to", show.local_time, narrow=show.short_time),
    Column("person", "on call", lambda person: person or "nobody"),
    Column("why", rank=1),
    Column("reason", rank=2),
)
_ESCALATIONS = (
    Column("escalation", style="cyan", whole=True),
    Column("step", "next step"),
    Column("next_at", f"due ({show.zone()})", show.local_time, narrow=show.short_time),
    Column(
        "told", show=lambda told: ", ".join(_once(each["person"] or each["channel"] for each in told)) or show.NOTHING
    ),
    Column("alerts", show=lambda alerts: ", ".join(_once(alert["title"] for alert in alerts))),
)


def command(argv: Sequence[str]) -> int:
    """Say who is on call now, or in one rota over a range; or what escalates."""
    parser = options.parser("oncall", "Say who is on call: now in all rotas, or in one of them over the coming weeks.")
    parser.add_argument("rota", nargs="?", help="a rota, for who is on call in it over a range")
    parser.add_argument("--at", metavar="TIME", help="in all rotas at another time: RFC 3339, Unix time, or now+8h")
    parser.add_argument("--start", metavar="TIME", help="of the range (default now)")
    parser.add_argument("--end", metavar="TIME", help="of the range (default four weeks later)")
    parser.add_argument("--escalations", action="store_true", help="list escalations that run instead")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    if arguments.escalations:
        found = client.get("/escalations")["escalations"]
        return _listed(arguments.format, _ESCALATIONS, [_shown(row) for row in found], "none runs")
    if arguments.rota:
        asked = {"start": arguments.start, "end": arguments.end}
        duties = client.get(f"/on-call/{options.segment(arguments.rota)}", asked)["duties"]
        return _listed(arguments.format, _DUTIES, duties, "nobody")
    rotas = client.get("/on-call", {"at": arguments.at})["rotas"]
    rows = [{**rota, "until": rota["now"]["end"], "why": rota["now"]["why"]} for rota in rotas]
    return _listed(arguments.format, _NOW, rows, "there is no rota")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """An escalation with its next step in words."""
    stopped = "acknowledged" if row["acknowledged"] else "alerts are muted" if row["paused"] else ""
    last = "quiet hours end" if row["held"] else "all done"
    step = stopped or (f"{row['step']} of {row['steps']}" if row["step"] <= row["steps"] else last)
    return {**row, "step": step}


def _listed(form: str, columns: Sequence[Column], rows: Sequence[dict[str, Any]], nothing: str) -> int:
    if not emit(form, columns, rows):
        print(f"spanglass oncall: {nothing}", file=sys.stderr)
    return Exit.OK
