"""Arbitrary spans and log records of OpenTelemetry's SDK, for tests of encoders."""

from __future__ import annotations

from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

LONG = st.sampled_from(["x" * 130, "é" * 600, "\U0001f600" * 5000])  # lengths of two and three bytes
TEXT = st.text(st.characters(codec="utf-8"), max_size=10) | LONG
KEYS = st.sampled_from(["a", "b", "http.route", "é", "k" * 200])
INT64 = st.one_of(st.integers(-2, 300), st.integers(-(2**63), 2**63 - 1))
TIMES = st.one_of(st.none(), st.integers(0, 2**64 - 1))
COUNTS = st.one_of(st.just(0), st.integers(0, 2**32 - 1))
# few values, equal ones of several types: what a cache may mix up
LOOKALIKES = st.sampled_from([True, 1, 1.0, False, 0, 0.0, -0.0, "1", b"1", "", (True,), (1,), (1.0,), None])
SCALARS = st.one_of(LOOKALIKES, TEXT, st.booleans(), INT64, st.floats(), st.binary(max_size=10), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(TEXT, inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def attributes(draw):
    """None, a dict, or OpenTelemetry's mapping, with a number of attributes that were dropped."""
    plain = draw(st.dictionaries(KEYS | TEXT, VALUES, max_size=4))
    if draw(st.booleans()):
        return draw(st.sampled_from([plain, plain or None]))
    bounded = BoundedAttributes(attributes=plain, immutable=draw(st.booleans()))
    bounded.dropped = draw(COUNTS)
    return bounded


@st.composite
def bounded_lists(draw, items):
    """An SDK's list, with a number of items that were dropped."""
    made = BoundedList.from_seq(None, draw(st.lists(items, max_size=2)))
    made.dropped = draw(COUNTS)
    return made


TRACE_STATES = st.sampled_from([None, TraceState(), TraceState([("a", "1")]), TraceState([("a", "1"), ("b@c", "x y")])])
CONTEXTS = st.builds(
    SpanContext,
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1)]),
    TRACE_STATES,
)
STATUSES = st.one_of(
    st.just(Status(StatusCode.UNSET)),
    st.just(Status(StatusCode.OK)),
    st.builds(Status, st.just(StatusCode.ERROR), st.none() | TEXT),
)
# objects of their own that are equal: grouping goes by equality, not by identity
RESOURCES = st.builds(
    Resource,
    st.sampled_from([{}, {"service.name": "shop"}, {"service.name": "shop", "x": (1, 2), "y": b"\xff"}]),
    st.sampled_from([None, "https://example.org/1"]),
)
SCOPES = st.none() | st.builds(
    InstrumentationScope,
    st.sampled_from(["", "shop", "é"]),
    st.sampled_from([None, "", "1.0"]),
    st.sampled_from([None, "https://example.org/2"]),
    st.sampled_from([None, {}, {"a": 1}, {"a": [1.5]}]),
)
SPANS = st.builds(
    ReadableSpan,
    name=st.none() | TEXT,
    context=CONTEXTS,
    parent=st.none() | CONTEXTS,
    resource=RESOURCES,
    attributes=attributes(),
    events=bounded_lists(st.builds(Event, TEXT, attributes(), st.integers(0, 2**64 - 1))),
    links=bounded_lists(st.builds(Link, CONTEXTS, attributes())),
    kind=st.sampled_from(SpanKind),
    status=STATUSES,
    start_time=TIMES,
    end_time=TIMES,
    instrumentation_scope=SCOPES,
)


@st.composite
def log_records(draw):
    """A record as the SDK's queue hands it over."""
    record = LogRecord(
        timestamp=draw(TIMES),
        observed_timestamp=draw(st.integers(0, 2**64 - 1)),
        severity_text=draw(st.none() | TEXT),
        severity_number=draw(st.none() | st.sampled_from(SeverityNumber)),
        body=draw(VALUES),
        attributes=draw(attributes()),
        event_name=draw(st.none() | TEXT),
    )
    record.trace_id = draw(st.just(0) | st.integers(0, 2**128 - 1))
    record.span_id = draw(st.just(0) | st.integers(0, 2**64 - 1))
    record.trace_flags = TraceFlags(draw(st.integers(0, 255)))
    return ReadableLogRecord(record, draw(RESOURCES), draw(SCOPES))
