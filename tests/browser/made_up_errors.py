"""A trace and log records with exceptions, and with what only claims to be one."""

from __future__ import annotations

import raised
from made_up import MS, NOW_NS, as_trace, log, rfc, span

PAYMENT, NOTICE, DEEP, GONE = "5f0c2a9b11d0e7a4", "c1d2e3f4a5b60718", "00ff00ff00ff00ff", "9999999999999999"


def _event(attributes):
    return {"time": rfc(NOW_NS), "offset_ns": MS, "name": "exception", "attributes": attributes}


#: Name of the span, and the attributes of its event.
TELLING = (
    ("POST /checkout", raised.mentioned(raised.FAILED_PAYMENT, PAYMENT)),
    ("pay", {**raised.told(raised.FAILED_PAYMENT, PAYMENT), "exception.escaped": "False", "card": "visa"}),
    ("notify", raised.told(raised.FAILED_NOTICE, NOTICE)),
    ("recurse", raised.told(raised.TOO_DEEP, DEEP)),
    ("retry", raised.mentioned(raised.FAILED_PAYMENT, GONE)),
    *((name, raised.odd(chain)) for name, chain in {**raised.ODD_CHAINS, **raised.NO_CHAINS}.items()),
)


def _status(attributes):
    """Return what OpenTelemetry makes a span's status of an exception that leaves it."""
    return f"{attributes['exception.type'].rpartition('.')[2]}: {attributes['exception.message']}"


def failing_trace(trace_id):
    """Return a trace whose spans have one exception each, in the order of ``TELLING``."""
    spans = [
        span(i + 1, f"{1:016x}" if i else None, min(i, 1), "checkout", name, i * 10, 300 - i * 10, status="error",
             kind="internal" if i else "server", status_message=_status(found), events=[_event(found)])
        for i, (name, found) in enumerate(TELLING)
    ]  # fmt: skip
    return as_trace(trace_id, spans)


def telling_spans(trace_id, params):
    """Return the spans that a filter for an occurrence finds."""
    wanted = params["filter"].rpartition('= "')[2].rstrip('"')
    key = "spanglass.exception.occurrence_id"
    found = [
        {**one, "trace_id": trace_id}
        for one in failing_trace(trace_id)["spans"]
        if wanted in [event["attributes"].get(key) for event in one["events"]]
    ]
    return {"spans": found, "next_cursor": None}


def records(trace_id, params):
    """Return three records, newest first: a later mention, the full one, a group that was dealt with."""
    own = {"trace_id": trace_id, "span_id": f"{1:016x}"}
    brief = raised.mentioned(raised.FAILED_PAYMENT, PAYMENT, handled=False)
    payment = raised.told(raised.FAILED_PAYMENT, PAYMENT, handled=False)
    notice = raised.told(raised.FAILED_NOTICE, NOTICE, handled=True)
    line = f"raised.CurrencyNotPricedError: {raised.FAILED_PAYMENT}"
    rows = [
        log(3, NOW_NS - 1 * MS, "checkout", "error", "POST /checkout failed", **own, attributes=brief),
        log(2, NOW_NS - 5 * MS, "checkout", "error", line, **own, event_name="exception", attributes=payment),
        log(1, NOW_NS - 9 * MS, "mailer", "error", "receipts delayed", attributes=notice),
    ]
    asked = params.get("filter", "")
    if "occurrence_id" in asked:
        wanted = asked.rpartition('= "')[2].rstrip('"')
        rows = [row for row in rows if row["attributes"]["spanglass.exception.occurrence_id"] == wanted]
    if params.get("order") == "asc":
        rows.reverse()
    return {"logs": rows, "next_cursor": None, "newest_cursor": "n-0"}
