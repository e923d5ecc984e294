"""Which deliveries a filter means: in Python, and as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.notifications.model import Reason, State
from spanglass_server.notifications.store.codec import words_of

if TYPE_CHECKING:
    from spanglass_server.notifications.model import Delivery, Notification
    from spanglass_server.notifications.ports import DeliveryFilter

#: What the limit of a channel counts.
LIMITED: Final = frozenset({Reason.FIRING, Reason.RESOLVED, Reason.REPEAT, Reason.INCIDENT})
#: Used links are remembered for so long after what else is purged: longer than any link is valid.
LINKS_NS: Final = 40 * 86_400 * 10**9
#: Twice what a sink may ask to wait: a retry that is due later than that is of a clock that was set back since.
LONGEST_PAUSE_NS: Final = 7_200 * 10**9
#: Deliveries that were not given up.
TOLD: Final = (State.WAITING, State.SENT, State.DIGESTED)


def is_same(notification: Notification, other: Notification) -> bool:
    """Whether another notification of a route, decided at the same time, tells everything that this one does."""
    wanted = {alert.id for alert in notification.alerts}
    return (
        {notification.reason, other.reason} <= LIMITED
        and (notification.thread, notification.created_ns) == (other.thread, other.created_ns)
        and not other.addresses
        and wanted <= {alert.id for alert in other.alerts}
    )


def matches(wanted: DeliveryFilter, delivery: Delivery) -> bool:
    """Whether a delivery is meant."""
    notification, text = delivery.notification, wanted.text.casefold()
    return (
        (not wanted.states or delivery.state in wanted.states)
        and wanted.channel in ("", notification.channel)
        and (not wanted.alert_id or any(alert.id == wanted.alert_id for alert in notification.alerts))
        and (text in words_of(notification) or text in delivery.error.casefold())
        and wanted.start_ns <= notification.created_ns
        and (not wanted.end_ns or notification.created_ns < wanted.end_ns)
    )


def condition(wanted: DeliveryFilter) -> tuple[str, list[Any]]:
    """The same as a condition of SQL over ``deliveries``, with its parameters."""
    parts: list[str] = []
    values: list[Any] = []
    text = wanted.text.casefold()
    rows: list[tuple[str, bool, list[Any]]] = [
        ("created_ns >= ?", bool(wanted.start_ns), [wanted.start_ns]),
        ("created_ns < ?", bool(wanted.end_ns), [wanted.end_ns]),
        ("channel = ?", bool(wanted.channel), [wanted.channel]),
        (f"state IN ({', '.join('?' * len(wanted.states))})", bool(wanted.states), [str(s) for s in wanted.states]),
        (
            "number IN (SELECT delivery FROM alerts_of_deliveries WHERE alert = ?)",
            bool(wanted.alert_id),
            [wanted.alert_id],
        ),
        ("(instr(words, ?) OR instr(lower(error), ?))", bool(text), [text, text]),
    ]
    for sql, is_wanted, bound in rows:
        if is_wanted:
            parts.append(sql)
            values.extend(bound)
    return " AND ".join(parts) or "1", values
