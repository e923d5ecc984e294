"""Interfaces inside notifications, with their contracts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.notifications.model import (
        Attempt,
        Channel,
        Delivery,
        Inhibition,
        Message,
        Notification,
        Outcome,
        Route,
        Silence,
        State,
    )


#: Later than any time: at it, everything that waits is due.
FOREVER_NS: Final = 2**63 - 1


class Sender(Protocol):
    """Delivers messages over one channel."""

    async def send(self, message: Message) -> Outcome:
        """Make one attempt. Never raises for what a sink does: that is its ``Outcome``. May be cancelled (time-out).

        The same notification may come again after a crash: a channel that can passes its id on, so that the sink knows.
        """

    async def close(self) -> None:
        """Close connections."""


class Writer(Protocol):
    """Puts notifications into words."""

    def message(self, notification: Notification, channel: Channel, previous: str = "") -> Message:
        """The message. A template that fails gives a plain message that says so; never raises for what is in them."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that is configured, at one moment, by name: people, rotas and escalations of ``people/``, intervals."""

    channels: Mapping[str, Channel]
    route: Route
    inhibitions: tuple[Inhibition, ...] = ()
    intervals: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, Any] = field(default_factory=dict)
    rotas: Mapping[str, Any] = field(default_factory=dict)
    escalations: Mapping[str, Any] = field(default_factory=dict)


class NotificationBook(Protocol):
    """What is configured, from the settings file and from what was made in pages; safe for any thread.

    While a file is broken, what it held when it was right stays. A name of the settings file hides a kept one.
    """

    def configuration(self) -> Configuration:
        """All of it; quick, and the same object as long as nothing changed."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the files now, each with file, line and hint."""

    def written(self, section: str, name: str) -> Any:
        """One thing as JSON, secrets hidden; ``KeyError``."""

    def put(self, section: str, name: str, value: Any, version: str, by: str) -> str:
        """Keep a thing of a section (channels, routes, ...) in the place of its version ("": a new one); its version.

        Raises ``ConfigurationError`` with a problem for each wrong field, ``ConflictError`` where somebody else was
        faster, ``ElsewhereError`` for what stands in the settings file.
        """

    def delete(self, section: str, name: str, version: str, by: str) -> None:
        """Delete a kept thing; ``KeyError``, ``ConflictError``, ``ElsewhereError``, ``ConfigurationError`` if used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are meant; empty fields mean all."""

    states: tuple[State, ...] = ()
    channel: str = ""
    alert_id: str = ""
    text: str = ""
    start_ns: int = 0
    end_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one look at the alerts led to: all of it is kept, or nothing. ``groups`` are rows by key, None: gone.

    ``cursor`` is that of the alert store's entries up to which all is taken in.
    """

    cursor: int
    groups: Mapping[str, Any] = field(default_factory=dict)
    escalations: Mapping[str, Any] = field(default_factory=dict)
    notifications: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is logged of a delivery: an attempt, or none where it ended without one, with what that led to.

    ``follow_ups`` wait in the outbox from then on: the digest that tells of it, or the same over a fallback.
    """

    notification_id: str
    attempt: Attempt | None
    state: State
    next_ns: int = 0  # of one that waits: when the next attempt is due
    done_ns: int = 0  # of one that is done: when that was, without an attempt
    error: str = ""  # without an attempt: why
    digest: str = ""  # the notification that tells of one that is DIGESTED
    follow_ups: tuple[Notification, ...] = ()


class NotificationStoreError(Exception):
    """The notification store can't be used; the message says what to do."""


class NotificationStoreVersionError(NotificationStoreError):
    """The notification store was written by a newer version of the server."""


class NotificationStoreDamagedError(NotificationStoreError):
    """The notification store's file is not what this server or an older one wrote."""


class NotificationStore(Protocol):
    """Keeps groups, the outbox, the log of attempts, silences and used links. Every method is one transaction, durable.

    Any thread may call. Raises ``OSError`` when the disk can't be used; then nothing changed.
    """

    def cursor(self) -> int:
        """Up to which entry of the alert store decisions are made."""

    def decide(self, decision: Decision) -> None:
        """Take a decision: its notifications wait in the outbox from then on. One whose id is known is not added."""

    def groups(self) -> Mapping[str, Any]:
        """The groups that stand, by key."""

    def escalations(self) -> Mapping[str, Any]:
        """The escalations that run, by key."""

    def running(self) -> tuple[int, int]:
        """How many groups stand, and how many escalations run."""

    def waiting(
        self, now_ns: int, limit: int, without: Sequence[str] = (), but: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """Deliveries that are due, the earliest first, but for those of some channels, and those of some ids.

        So are, after them, those that would be tried in more than two hours only because the clock was set back.
        Of one thread and channel only the oldest, so that a resolution never overtakes what it is of; those that were
        to wait from the beginning (``not_before_ns``) hold up no others.
        """

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        """Have notifications wait that no look at the alerts led to. One whose id is known is not added."""

    def attempted(self, notification_id: str, attempt: Attempt, state: State, next_ns: int) -> None:
        """Log an attempt, with what it led to."""

    def log(self, tried: Sequence[Tried]) -> None:
        """Log what became of some deliveries, all of it in one transaction."""

    def record(self, notification: Notification, attempt: Attempt, state: State) -> None:
        """Log a notification that never waited, such as a test message."""

    def retry(self, notification_id: str, now_ns: int) -> Delivery:
        """Have a delivery that is not sent wait anew, from now on; ``KeyError``, ``ValueError`` if it was sent."""

    def sent_since(self, channel: str, since_ns: int) -> int:
        """How many messages a channel took since then; digests, escalations, tests and responses don't count."""

    def digested(self, digest: str) -> Sequence[Delivery]:
        """The deliveries that a digest tells of, oldest first."""

    def is_told(self, notification: Notification, channel: str) -> bool:
        """Whether another channel is told of the same anyway: by its route, at the same time, of all of its alerts.

        It has been, or is still to be, by itself or in a digest; what was given up does not count.
        """

    def untold(self, limit: int) -> Sequence[Delivery]:
        """Deliveries that are done and of which the history of their alerts does not tell yet, oldest first."""

    def told(self, notification_ids: Sequence[str]) -> None:
        """Note that the history of alerts tells of them."""

    def reference(self, thread: str, channel: str) -> str:
        """The reference of the last message of a thread that was sent, "" if there is none."""

    def delivery(self, notification_id: str) -> Delivery:
        """One delivery; ``KeyError``."""

    def deliveries(self, wanted: DeliveryFilter, *, limit: int, after: str = "") -> Sequence[Delivery]:
        """Deliveries, newest first; ``after`` is the id of the last one of the page before."""

    def attempts(self, notification_id: str) -> Sequence[Attempt]:
        """The attempts of a delivery, oldest first."""

    def counts(self) -> Mapping[tuple[str, State], int]:
        """How many deliveries there are by channel and state."""

    def oldest_waiting(self, now_ns: int) -> Mapping[str, int]:
        """The creation of the oldest delivery that is due, by channel, in nanoseconds since 1970."""

    def last_errors(self) -> Mapping[str, tuple[int, str]]:
        """The end of the last attempt and its error, "" if it succeeded, by channel."""

    def silences(self, *, ended_after_ns: int = 0) -> Sequence[Silence]:
        """Silences that end after then, the latest end first."""

    def put_silence(self, silence: Silence) -> None:
        """Add a silence, or replace the one with its id."""

    def is_link_used(self, nonce: str) -> bool:
        """Whether a link was used before."""

    def use_link(self, nonce: str, now_ns: int) -> bool:
        """Note that a link is used; False if it was before."""

    def purge(self, before_ns: int) -> int:
        """Delete deliveries that were done before then, silences that ended, links used; how many there were."""

    def version(self) -> int:
        """A number that rises with every change; quick."""
