"""The notification store in memory: for tests, and what need not outlive the process."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.model import Delivery, Reason, State
from spanglass_server.notifications.ports import Tried
from spanglass_server.notifications.store.filters import LIMITED, LINKS_NS, LONGEST_PAUSE_NS, TOLD, is_same, matches
from spanglass_server.notifications.store.outcomes import Standing, after, again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spanglass_server.notifications.model import Attempt, Notification, Silence
    from spanglass_server.notifications.ports import Decision, DeliveryFilter


class MemoryNotificationStore:
    """A ``NotificationStore`` in dictionaries, gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._cursor = 0
        self._rows: dict[str, dict[str, Any]] = {"groups": {}, "escalations": {}}
        self._deliveries: dict[str, Delivery] = {}  # in the order in which they were added
        self._attempts: dict[str, dict[int, Attempt]] = {}
        self._digests: dict[str, str] = {}
        self._untold: dict[str, None] = {}
        self._last: dict[str, tuple[int, str]] = {}
        self._silences: dict[str, Silence] = {}
        self._links: dict[str, int] = {}
        self._version = 0

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
            self._version += 1

    def cursor(self) -> int:
        """See ``NotificationStore``."""
        return self._cursor

    def decide(self, decision: Decision) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            self._cursor = decision.cursor
            for kind, changed in (("groups", decision.groups), ("escalations", decision.escalations)):
                kept = {**self._rows[kind], **changed}
                self._rows[kind] = {key: kept[key] for key in sorted(kept) if kept[key] is not None}
            self._add(decision.notifications)

    def groups(self) -> Mapping[str, Any]:
        """See ``NotificationStore``."""
        return self._copied("groups")

    def escalations(self) -> Mapping[str, Any]:
        """See ``NotificationStore``."""
        return self._copied("escalations")

    def running(self) -> tuple[int, int]:
        """See ``NotificationStore``."""
        return len(self._rows["groups"]), len(self._rows["escalations"])

    def _copied(self, kind: str) -> Mapping[str, Any]:
        with self._lock:
            copied: dict[str, Any] = json.loads(json.dumps(self._rows[kind]))
        return copied

    def waiting(
        self, now_ns: int, limit: int, without: Sequence[str] = (), but: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        with self._lock:
            held: set[tuple[str, str]] = set()
            found = []
            for delivery in self._deliveries.values():
                told = delivery.notification
                place = (told.thread, told.channel)
                if delivery.state is State.WAITING:
                    is_meant = told.channel not in without and told.id not in but
                    if _is_due(delivery, now_ns) and is_meant and place not in held:
                        found.append(delivery)
                    if told.not_before_ns <= now_ns:
                        held.add(place)
        return sorted(found, key=lambda delivery: delivery.next_ns)[:limit]

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            self._add(notifications)

    def _add(self, notifications: Iterable[Notification]) -> None:
        for notification in notifications:
            plain = replace(notification, alerts=tuple(replace(alert, evidence={}) for alert in notification.alerts))
            due_ns = max(notification.created_ns, notification.not_before_ns)
            self._deliveries.setdefault(
                notification.id, Delivery(notification=plain, state=State.WAITING, next_ns=due_ns)
            )

    def attempted(self, notification_id: str, attempt: Attempt, state: State, next_ns: int) -> None:
        """See ``NotificationStore``."""
        self.log([Tried(notification_id=notification_id, attempt=attempt, state=state, next_ns=next_ns)])

    def log(self, tried: Sequence[Tried]) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            for one in tried:
                if one.notification_id in self._deliveries:
                    self._log(one)
                self._add(one.follow_ups)

    def _log(self, tried: Tried) -> None:
        before = self._deliveries[tried.notification_id]
        self._update(before, after(_standing(before), tried), tried.digest)
        attempt = tried.attempt
        if attempt is not None:
            self._attempts.setdefault(tried.notification_id, {})[attempt.number] = attempt
            ended_ns = attempt.started_ns + attempt.latency_ns
            self._last[before.notification.channel] = (ended_ns, attempt.outcome.error)

    def _update(self, before: Delivery, now: Standing, digest: str) -> None:
        notification_id = before.notification.id
        self._deliveries[notification_id] = replace(before, **asdict(now))
        self._digests[notification_id] = digest
        self._untold.pop(notification_id, None)
        told = before.notification
        if now.state is not State.WAITING and (told.alerts or told.reason is Reason.DIGEST):
            self._untold[notification_id] = None

    def record(self, notification: Notification, attempt: Attempt, state: State) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            self._add([notification])
            self.log([Tried(notification_id=notification.id, attempt=attempt, state=state)])

    def retry(self, notification_id: str, now_ns: int) -> Delivery:
        """See ``NotificationStore``."""
        with self._changing():
            before = self._deliveries[notification_id]
            self._update(before, again(_standing(before), now_ns), "")
            return self._deliveries[notification_id]

    def _found(self, wanted: Callable[[Delivery], bool]) -> list[Delivery]:
        with self._lock:
            return [delivery for delivery in self._deliveries.values() if wanted(delivery)]

    def sent_since(self, channel: str, since_ns: int) -> int:
        """See ``NotificationStore``."""
        sent = self._found(lambda each: each.state is State.SENT and each.done_ns >= since_ns)
        told = [each.notification for each in sent]
        return sum(each.channel == channel and each.reason in LIMITED for each in told)

    def digested(self, digest: str) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        return self._found(lambda each: bool(digest) and self._digests.get(each.notification.id) == digest)

    def is_told(self, notification: Notification, channel: str) -> bool:
        """See ``NotificationStore``."""
        told = self._found(lambda each: each.notification.channel == channel and each.state in TOLD)
        return any(is_same(notification, each.notification) for each in told)

    def untold(self, limit: int) -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        return self._found(lambda each: each.notification.id in self._untold)[:limit]

    def told(self, notification_ids: Sequence[str]) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            for notification_id in notification_ids:
                self._untold.pop(notification_id, None)

    def reference(self, thread: str, channel: str) -> str:
        """See ``NotificationStore``."""
        place = (thread, channel)
        sent = self._found(lambda each: (each.notification.thread, each.notification.channel) == place)
        return next((each.reference for each in reversed(sent) if each.reference), "")

    def delivery(self, notification_id: str) -> Delivery:
        """See ``NotificationStore``."""
        with self._lock:
            return self._deliveries[notification_id]

    def deliveries(self, wanted: DeliveryFilter, *, limit: int, after: str = "") -> Sequence[Delivery]:
        """See ``NotificationStore``."""
        found = self._found(lambda each: matches(wanted, each))[::-1]
        if after:
            order = list(self._deliveries)
            place = order.index(after) if after in self._deliveries else 0
            found = [each for each in found if order.index(each.notification.id) < place]
        return found[:limit]

    def attempts(self, notification_id: str) -> Sequence[Attempt]:
        """See ``NotificationStore``."""
        with self._lock:
            return [attempt for _, attempt in sorted(self._attempts.get(notification_id, {}).items())]

    def counts(self) -> Mapping[tuple[str, State], int]:
        """See ``NotificationStore``."""
        return Counter((each.notification.channel, each.state) for each in self._found(lambda _: True))

    def oldest_waiting(self, now_ns: int) -> Mapping[str, int]:
        """See ``NotificationStore``."""
        oldest: dict[str, int] = {}
        for each in self._found(lambda each: each.state is State.WAITING):
            told = each.notification
            if told.not_before_ns <= now_ns:
                oldest[told.channel] = min(oldest.get(told.channel, told.created_ns), told.created_ns)
        return oldest

    def last_errors(self) -> Mapping[str, tuple[int, str]]:
        """See ``NotificationStore``."""
        with self._lock:
            return {channel: self._last[channel] for channel in sorted(self._last)}

    def silences(self, *, ended_after_ns: int = 0) -> Sequence[Silence]:
        """See ``NotificationStore``."""
        with self._lock:
            found = [silence for silence in self._silences.values() if silence.ends_ns > ended_after_ns]
        return sorted(found, key=lambda silence: (-silence.ends_ns, silence.id))

    def put_silence(self, silence: Silence) -> None:
        """See ``NotificationStore``."""
        with self._changing():
            self._silences[silence.id] = silence

    def is_link_used(self, nonce: str) -> bool:
        """See ``NotificationStore``."""
        with self._lock:
            return nonce in self._links

    def use_link(self, nonce: str, now_ns: int) -> bool:
        """See ``NotificationStore``."""
        with self._changing():
            if nonce in self._links:
                return False
            self._links[nonce] = now_ns
            return True

    def purge(self, before_ns: int) -> int:
        """See ``NotificationStore``."""
        with self._changing():
            done = self._found(lambda each: each.state is not State.WAITING and each.done_ns < before_ns)
            for delivery in done:
                for kept in (self._deliveries, self._attempts, self._digests, self._untold):
                    kept.pop(delivery.notification.id, None)
            ended = [silence.id for silence in self._silences.values() if silence.ends_ns < before_ns]
            used = [nonce for nonce, used_ns in self._links.items() if used_ns < before_ns - LINKS_NS]
            for silence_id in ended:
                del self._silences[silence_id]
            for nonce in used:
                del self._links[nonce]
            return len(done) + len(ended) + len(used)

    def version(self) -> int:
        """See ``NotificationStore``."""
        return self._version

    def close(self) -> None:
        """Nothing is to be released."""


def _is_due(delivery: Delivery, now_ns: int) -> bool:
    is_set_back = delivery.next_ns > now_ns + LONGEST_PAUSE_NS  # of a clock that was later
    return delivery.next_ns <= now_ns or (is_set_back and delivery.next_ns != delivery.notification.not_before_ns)


def _standing(delivery: Delivery) -> Standing:
    return Standing(**{field.name: getattr(delivery, field.name) for field in fields(Standing)})
