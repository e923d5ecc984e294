"""What is done with one delivery that is due: told in a digest, or sent, and logged with what comes of it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from spanglass_server.notifications.delivery.sending.breaker import Breaker
from spanglass_server.notifications.delivery.sending.fallback import fallback_of
from spanglass_server.notifications.delivery.sending.limits import digest_of, filled, period_ns
from spanglass_server.notifications.delivery.sending.supplies import Configured
from spanglass_server.notifications.model import Attempt, Reason, State
from spanglass_server.notifications.ports import Tried
from spanglass_server.notifications.store.filters import LIMITED
from spanglass_server.self_metrics import registry as own
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.notifications.delivery.sending.log_book import LogBook
    from spanglass_server.notifications.delivery.sending.supplies import Supplies
    from spanglass_server.notifications.delivery.sending.trying import Trier
    from spanglass_server.notifications.model import Channel, Delivery, Notification

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_AFTER_DEFECT_NS = 60 * NS_PER_SECOND
_UNKNOWN = "there is no channel {name!r}: add it under monitoring.channels, or take its name out of rules and routes"


class Ask(Protocol):
    """Does work with the store in a thread."""

    async def __call__(self, work: Callable[..., T], *values: object) -> T:
        """The work's result."""


class Handler:
    """Handles deliveries, many at a time, on one event loop."""

    def __init__(self, supplies: Supplies, trier: Trier, log_book: LogBook, ask: Ask) -> None:
        self._supplies = supplies
        self._trier = trier
        self._log_book = log_book
        self._ask = ask
        self.breaker = Breaker()
        self.configured = Configured(supplies.book)
        self._sending: Counter[str] = Counter()  # messages under way that count for the limit of their channel

    async def handle(self, delivery: Delivery) -> None:
        """Do what is due; a failure of our own is told of in the delivery log, and costs this message a minute."""
        place = delivery.notification.channel
        counts = delivery.notification.reason in LIMITED
        others = self._sending[place]  # those that began before and are not in the log yet
        self._sending[place] += counts
        try:
            await self._log_book.add(await self._guarded(delivery, others))
        finally:
            self._sending[place] -= counts

    async def _guarded(self, delivery: Delivery, others: int) -> Tried:
        try:
            return await self._handled(delivery, others)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other messages go on
            _LOG.error("the delivery %s failed", delivery.notification.id, exc_info=error)
            next_ns = self._supplies.clock_ns() + _AFTER_DEFECT_NS
            return _ended(delivery, State.WAITING, f"not tried: {in_words(error)}; see the log", next_ns)

    async def _handled(self, delivery: Delivery, others: int) -> Tried:
        notification = delivery.notification
        channel = self.configured.channels().get(notification.channel)
        if channel is None:
            now_ns = self._supplies.clock_ns()
            return _ended(delivery, State.FAILED, _UNKNOWN.format(name=notification.channel), now_ns)
        if notification.reason is Reason.DIGEST and not notification.fallback_of:  # over a fallback it is filled in
            told = await self._ask(self._supplies.store.digested, notification.id)
            return await self._tried(delivery, channel, filled(notification, told))
        if channel.limit is not None and notification.reason in LIMITED:
            now_ns = self._supplies.clock_ns()
            sent = await self._ask(self._supplies.store.sent_since, channel.name, period_ns(channel.limit, now_ns))
            if sent + others >= channel.limit.messages:
                return _digested(delivery, digest_of(channel, channel.limit, now_ns), now_ns)
        return await self._tried(delivery, channel, notification)

    async def _tried(self, delivery: Delivery, channel: Channel, notification: Notification) -> Tried:
        supplies = self._supplies
        unable = await self._unable(delivery, channel, notification)
        if unable is not None:
            return unable
        previous = await self._ask(supplies.store.reference, notification.thread, channel.name)
        message = await self._trier.message(notification, channel, previous)
        started_ns = supplies.clock_ns()
        outcome = await self._trier.send(message, channel)
        ended_ns = max(supplies.clock_ns(), started_ns)
        attempt = Attempt(
            number=delivery.attempts + 1, started_ns=started_ns, latency_ns=ended_ns - started_ns, outcome=outcome
        )
        self._measure(notification, channel, attempt, ended_ns)
        if outcome.retryable and not outcome.sent:
            self.breaker.failed(channel.name, outcome.error, ended_ns)
        else:
            self.breaker.answered(channel.name)
        if outcome.sent:
            return Tried(notification_id=notification.id, attempt=attempt, state=State.SENT)
        next_ns = supplies.retrying.next_ns(delivery, channel, attempt, supplies.chance())
        if next_ns:
            return Tried(notification_id=notification.id, attempt=attempt, state=State.WAITING, next_ns=next_ns)
        instead = await self._instead(notification, channel, outcome.error)
        return Tried(notification_id=notification.id, attempt=attempt, state=State.FAILED, follow_ups=instead)

    async def _unable(self, delivery: Delivery, channel: Channel, notification: Notification) -> Tried | None:
        """What becomes of a message without an attempt, while its channel does not work; None: it is tried."""
        error, now_ns = self.breaker.error(channel.name), self._supplies.clock_ns()
        until_ns = self.breaker.paused(now_ns).get(channel.name, 0)
        if not channel.fallback or not error:
            return None
        end_ns = self._supplies.retrying.end_ns(delivery, channel, now_ns)
        if end_ns < now_ns:
            instead = await self._instead(notification, channel, error)
            if instead:
                ended = _ended(delivery, State.FAILED, f"not tried, as the channel does not work: {error}", now_ns)
                return replace(ended, follow_ups=instead)
            end_ns = until_ns  # nobody is told in its place: it is tried once more
        return _ended(delivery, State.WAITING, error, min(until_ns, end_ns + 1)) if until_ns else None

    async def _instead(self, notification: Notification, channel: Channel, error: str) -> tuple[Notification, ...]:
        """What is told over the fallback of the channel, if it has one."""
        found = await self._ask(
            fallback_of, notification, channel, self._supplies.store, error, self._supplies.clock_ns()
        )
        return () if found is None else (found,)

    def _measure(self, notification: Notification, channel: Channel, attempt: Attempt, ended_ns: int) -> None:
        telemetry, outcome = self._supplies.telemetry, attempt.outcome
        became = "sent" if outcome.sent else "retryable" if outcome.retryable else "refused"
        telemetry.add(own.NOTIFICATION_ATTEMPTS, 1, channel.name, became)
        telemetry.observe(own.NOTIFICATION_ATTEMPT_SECONDS, attempt.latency_ns / NS_PER_SECOND, channel.name)
        if outcome.sent:
            begun_ns = max(notification.created_ns, notification.not_before_ns)
            waited_s = max(ended_ns - begun_ns, 0) / NS_PER_SECOND
            telemetry.observe(own.NOTIFICATION_DELIVERY_SECONDS, waited_s, channel.name)


def _ended(delivery: Delivery, state: State, error: str, time_ns: int) -> Tried:
    """An end without an attempt, or a pause where it still waits."""
    return Tried(
        notification_id=delivery.notification.id,
        attempt=None,
        state=state,
        next_ns=time_ns if state is State.WAITING else 0,
        done_ns=time_ns,
        error=error,
    )


def _digested(delivery: Delivery, digest: Notification, now_ns: int) -> Tried:
    return Tried(
        notification_id=delivery.notification.id,
        attempt=None,
        state=State.DIGESTED,
        done_ns=now_ns,
        error="above the limit of the channel: a digest tells of it",
        digest=digest.id,
        follow_ups=(digest,),
    )
