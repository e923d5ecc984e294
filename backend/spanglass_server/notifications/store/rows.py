"""Rows of the notification store's tables as types of the model, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.model import Attempt, Delivery, Matcher, Outcome, Silence, State
from spanglass_server.notifications.store.codec import packed, unpacked, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.notifications.model import Notification

DELIVERY_COLUMNS = "state, attempts, next_ns, done_ns, error, reference, begun_ns, body"
INSERT_DELIVERY = (
    "INSERT OR IGNORE INTO deliveries (id, channel, reason, thread, created_ns, not_before_ns, state, attempts, "
    "next_ns, done_ns, error, reference, begun_ns, digest, untold, words, body) "
    "VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?, 0, '', '', 0, '', 0, ?, ?)"
)
ATTEMPT_COLUMNS = "number, started_ns, latency_ns, sent, retryable, answer, error, reference, retry_after_s"
INSERT_ATTEMPT = (
    f"INSERT OR REPLACE INTO attempts (delivery, {ATTEMPT_COLUMNS}) "  # noqa: S608 - names of our own columns
    f"VALUES ({', '.join('?' * (1 + len(ATTEMPT_COLUMNS.split(', '))))})"
)
SILENCE_COLUMNS = "id, matchers, starts_ns, ends_ns, created_by, comment, updated_ns"


def delivery_values(notification: Notification) -> list[Any]:
    """Return the values of ``INSERT_DELIVERY``."""
    return [
        notification.id,
        notification.channel,
        str(notification.reason),
        notification.thread,
        notification.created_ns,
        notification.not_before_ns,
        max(notification.created_ns, notification.not_before_ns),
        words_of(notification),
        packed(notification),
    ]


def delivery_of(row: Sequence[Any]) -> Delivery:
    """Read a row of ``DELIVERY_COLUMNS``."""
    state, attempts, next_ns, done_ns, error, reference, begun_ns, body = row
    return Delivery(
        notification=unpacked(body),
        state=State(state),
        attempts=attempts,
        next_ns=next_ns,
        done_ns=done_ns,
        error=error,
        reference=reference,
        begun_ns=begun_ns,
    )


def attempt_values(attempt: Attempt) -> list[Any]:
    """Return the values of ``ATTEMPT_COLUMNS``."""
    outcome = attempt.outcome
    return [
        attempt.number,
        attempt.started_ns,
        attempt.latency_ns,
        outcome.sent,
        outcome.retryable,
        outcome.answer,
        outcome.error,
        outcome.reference,
        outcome.retry_after_s,
    ]


def attempt_of(row: Sequence[Any]) -> Attempt:
    """Read a row of ``ATTEMPT_COLUMNS``."""
    number, started_ns, latency_ns, sent, retryable, answer, error, reference, retry_after_s = row
    outcome = Outcome(
        sent=bool(sent),
        retryable=bool(retryable),
        answer=answer,
        error=error,
        reference=reference,
        retry_after_s=retry_after_s,
    )
    return Attempt(number=number, started_ns=started_ns, latency_ns=latency_ns, outcome=outcome)


def silence_values(silence: Silence) -> list[Any]:
    """Return the values of ``SILENCE_COLUMNS``."""
    matchers = json.dumps([asdict(matcher) for matcher in silence.matchers], ensure_ascii=False)
    return [
        silence.id,
        matchers,
        silence.starts_ns,
        silence.ends_ns,
        silence.created_by,
        silence.comment,
        silence.updated_ns,
    ]


def silence_of(row: Sequence[Any]) -> Silence:
    """Read a row of ``SILENCE_COLUMNS``."""
    silence_id, matchers, starts_ns, ends_ns, created_by, comment, updated_ns = row
    return Silence(
        id=silence_id,
        matchers=tuple(Matcher(**one) for one in json.loads(matchers)),
        starts_ns=starts_ns,
        ends_ns=ends_ns,
        created_by=created_by,
        comment=comment,
        updated_ns=updated_ns,
    )
