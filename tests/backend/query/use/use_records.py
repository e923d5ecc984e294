"""Spans and log records of users, made by hand."""

from __future__ import annotations

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW_NS = 1_795_000_000 * SECOND // HOUR * HOUR
NUMBERS = iter(range(1, 10_000))


def request(who, ago_ns, *, name="GET /cart", failed=False, kind=2, trace=None, session=None, ms=10, **more):
    """Make a span of a user, so long before now; ``more`` are columns."""
    number = next(NUMBERS)
    return {
        "trace_id": (trace or number).to_bytes(16),
        "span_id": number.to_bytes(8),
        "resource.service.name:str": "shop",
        "name": name,
        "kind": kind,
        "start_time_ns": NOW_NS - ago_ns,
        "duration_ns": ms * 1_000_000,
        "status_code": 2 if failed else 0,
        "span.user.id:str": who,
        "span.session.id:str": session,
        **more,
    }


def record(who, ago_ns, *, event=None, severity=9, session=None, **more):
    """Make a log record of a user; ``more`` are columns."""
    return {
        "time_ns": NOW_NS - ago_ns,
        "arrival_order": next(NUMBERS),
        "resource.service.name:str": "shop",
        "event_name": event,
        "body": event,
        "severity_number": severity,
        "log.user.id:str": who,
        "log.session.id:str": session,
        **more,
    }
