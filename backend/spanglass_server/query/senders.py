"""What comes in, and from whom: how many records of each signal every service sent, and when the newest was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from spanglass_server.query.answers import Slot, Time
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import SENT, TIME_COLUMN
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession, Window

#: How fast records come is counted over the newest minute of a range.
_NEWEST_NS = 60 * NS_PER_SECOND


class SenderSignal(TypedDict):
    """A service's records of one signal: how many there are, in the newest minute, and the newest of them."""

    service: str
    slot: Slot
    signal: Literal["spans", "logs", "metrics"]
    records: int
    newest_minute: int
    last_time: Time


class SenderList(TypedDict):
    """The answer of ``GET /api/v1/senders``, by service and signal."""

    senders: list[SenderSignal]


def list_senders(session: QuerySession, window: Window) -> SenderList:
    """Answer ``GET /api/v1/senders``."""
    senders: list[SenderSignal] = []
    for signal in SENT:
        time = TIME_COLUMN[signal]
        sql = statement(
            "senders",
            service=SERVICE_NAME,
            time=Sql(time),
            relation=Sql(session.relation(signal, window, (time, SERVICE))),
            newest_ns=window.end_ns - _NEWEST_NS,
        )
        senders += [
            {
                "service": row["service"],
                "slot": session.service_slot(row["service"]),
                "signal": signal.value,  # type: ignore[typeddict-item]
                "records": row["records"],
                "newest_minute": row["newest_minute"],
                "last_time": format_time(row["last_ns"]),
            }
            for row in rows(session, sql)
        ]
    return {"senders": sorted(senders, key=lambda each: (each["service"], each["signal"]))}
