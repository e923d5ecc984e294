"""How channels and the outbox stand at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.notifications.model import State
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.notifications.ports import Configuration, NotificationStore

#: A message that could not be delivered for so long is a problem of the server.
LATE_NS = 300 * NS_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """One channel: counts of the delivery log by state, and its last attempt. Times in ns since 1970, 0 for none.

    ``kind`` is "" where alerts name a channel that is not configured. ``error`` is "" after a success.
    """

    name: str
    kind: str
    origin: str = ""
    counts: Mapping[State, int]
    oldest_waiting_ns: int = 0
    last_ns: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsStatus:
    """All of it; ``problems`` are in words for people."""

    channels: tuple[ChannelStatus, ...]
    groups: int
    escalations: int
    silences: int  # that hide alerts now
    problems: tuple[str, ...]


def standing(
    configured: Configuration, store: NotificationStore, problems: Sequence[str], now_ns: int
) -> NotificationsStatus:
    """How all channels stand: those that are configured, and those of which the log knows."""
    counts, last, oldest = store.counts(), store.last_errors(), store.oldest_waiting(now_ns)
    names = [*configured.channels, *sorted({name for name, _ in counts} - configured.channels.keys())]
    groups, escalations = store.running()
    channels = []
    for name in names:
        channel, (last_ns, error) = configured.channels.get(name), last.get(name, (0, ""))
        channels.append(
            ChannelStatus(
                name=name,
                kind=channel.kind if channel is not None else "",
                origin=channel.origin if channel is not None else "",
                counts={state: counts[name, state] for state in State if (name, state) in counts},
                oldest_waiting_ns=oldest.get(name, 0),
                last_ns=last_ns,
                error=error,
            )
        )
    return NotificationsStatus(
        channels=tuple(channels),
        groups=groups,
        escalations=escalations,
        silences=sum(silence.starts_ns <= now_ns for silence in store.silences(ended_after_ns=now_ns)),
        problems=(*problems, *late(store, now_ns)),
    )


def late(store: NotificationStore, now_ns: int) -> list[str]:
    """Channels whose messages wait for long, in words."""
    last = store.last_errors()
    found = []
    for channel, since_ns in store.oldest_waiting(now_ns).items():
        waited_ns = now_ns - since_ns
        if abs(waited_ns) >= LATE_NS:
            waited = format_duration(abs(waited_ns) // NS_PER_SECOND * NS_PER_SECOND)
            set_back = f"wait that were decided {waited} ahead of the clock, which was set back"
            how = f"have waited for {waited}" if waited_ns > 0 else set_back
            why = last.get(channel, (0, ""))[1] or "nothing was tried yet"
            found.append(f"messages of the channel {channel!r} {how}: {why}")
    return found
