"""Light spans beside the SDK's own: whatever is done with them, the same is exported."""

from __future__ import annotations

import asyncio
import logging
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from spanglass.sampling.head import RatioSampler
from spanglass.sdk.private import light_tracer
from spanglass.sdk.private.light_spans import LightSpan
from spanglass.sdk.private.light_tracer import LightTracer, LightTracerProvider, prepared

REMOTE = SpanContext(0x1234, 0x56, is_remote=True, trace_flags=TraceFlags(1))
FIELDS = ("name", "context", "parent", "kind", "start_time", "end_time", "resource", "instrumentation_scope",
          "dropped_attributes", "dropped_events", "dropped_links")  # fmt: skip
LIMITS = SpanLimits(max_span_attributes=5, max_events=2, max_links=2, max_span_attribute_length=8)


class Ids:
    """The same ids for everybody."""

    def __init__(self):
        self.last = 0

    def generate_trace_id(self):
        """Return the next number."""
        self.last += 1
        return self.last

    generate_span_id = generate_trace_id

    def is_trace_id_random(self):
        """Return that they are none that samplers may trust."""
        return False


class Kept:
    """A provider and what it has exported."""

    def __init__(self, kind, limits=LIMITS, sampler=ALWAYS_ON):
        self.exporter = InMemorySpanExporter()
        self.provider = kind(sampler, id_generator=Ids(), span_limits=limits, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("shop", "1.0")

    def exported(self):
        """Return all that a span says, attributes in their order."""
        return [
            {
                **{name: getattr(span, name) for name in FIELDS},
                "attributes": list(span.attributes.items()),
                "events": [(one.name, one.timestamp, dict(one.attributes)) for one in span.events],
                "links": [(one.context, dict(one.attributes)) for one in span.links],
                "status": (span.status.status_code, span.status.description),
            }
            for span in self.exporter.get_finished_spans()
        ]


def both(**options):
    """Return the SDK's and ours."""
    made = Kept(TracerProvider, **options), Kept(LightTracerProvider, **options)
    assert type(made[1].tracer) is LightTracer
    return made


KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f", "", 7])
VALUES = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.floats(allow_nan=False),
    st.text("xy", max_size=12),
    st.none(),
    st.binary(max_size=3),
    st.lists(st.text("xy", max_size=12), max_size=3),
    st.dictionaries(st.text("k", max_size=2), st.integers(0, 3), max_size=2),
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=7)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set_attribute"), KEYS, VALUES),
        st.tuples(st.just("set_attributes"), ATTRIBUTES),
        st.tuples(st.just("add_event"), st.sampled_from(["begun", "half"]), ATTRIBUTES, st.integers(1, 9)),
        st.tuples(st.just("add_link"), st.just(REMOTE), ATTRIBUTES),
        st.tuples(st.just("set_status"), st.sampled_from(StatusCode), st.sampled_from([None, "why"])),
        st.tuples(st.just("update_name"), st.sampled_from(["x", "y"])),
        st.tuples(st.just("end"), st.integers(10, 20)),
    ),
    max_size=12,
)


@settings(max_examples=75, deadline=None)
@given(ATTRIBUTES, st.integers(0, 3), STEPS)
def test_the_same_is_exported(attributes, links, steps):
    """Attributes, their order and limits, events, links, status, name and times, also of what is done after the end."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it warns of each of these
    ours = both()
    for kept in ours:
        span = kept.tracer.start_span("work", None, SpanKind.SERVER, attributes, [Link(REMOTE)] * links, 5)
        for name, *arguments in steps:
            getattr(span, name)(*arguments)
        span.end(30)
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)

    assert ours[0].exported() == ours[1].exported()


def test_what_was_taken_before_is_taken_without_a_look():
    """Prepared attributes are cut once, and are each span's own after that."""
    heavy, light = both()
    told = prepared(light.tracer, {"text": "much too long", "number": 1})
    first = light.tracer.start_span("first", attributes=told, start_time=1)
    first.set_attribute("number", 2)
    light.tracer.start_span("second", attributes=told, start_time=1)

    assert dict(first.attributes) == {"text": "much too", "number": 2}
    assert dict(told) == {"text": "much too", "number": 1}
    assert prepared(heavy.tracer, {"text": "much too long"}) == {"text": "much too long"}


class RecordOnly(Sampler):
    """Records and does not sample, with an attribute and a state of its own."""

    def should_sample(self, *_args, **_kwargs):
        """Decide."""
        return SamplingResult(Decision.RECORD_ONLY, {"by": "sampler"}, TraceState([("own", "1")]))

    def get_description(self):
        """Name it."""
        return "RecordOnly"


PARENTS = {
    "none": None,
    "sampled": REMOTE,
    "unsampled": SpanContext(0x1234, 0x56, is_remote=True, trace_flags=TraceFlags(0)),
    "random": SpanContext(0x1234, 0x56, is_remote=True, trace_flags=TraceFlags(3)),
    "with a state": SpanContext(0x1234, 0x56, True, TraceFlags(1), TraceState([("ot", "th:8")])),  # noqa: FBT003 - remote
    "invalid": trace.INVALID_SPAN_CONTEXT,
}
SAMPLERS = [ALWAYS_ON, ALWAYS_OFF, ParentBased(ALWAYS_OFF), RecordOnly(), RatioSampler(1), RatioSampler(0),
            RatioSampler(0.5), RatioSampler(1, follow_parent=False)]  # fmt: skip


@pytest.mark.parametrize("parent", PARENTS)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.get_description())
def test_samplers_decide_alike(sampler, parent):
    """Context, flags, tracestate, attributes and whether a span records are those of the SDK."""
    remote = PARENTS[parent]
    context = None if remote is None else trace.set_span_in_context(trace.NonRecordingSpan(remote))
    ours = both(sampler=sampler)
    spans = [kept.tracer.start_span("work", context, attributes={"own": 1}, start_time=1) for kept in ours]
    for span in spans:
        span.end(2)

    assert spans[0].get_span_context() == spans[1].get_span_context()
    assert spans[0].is_recording() == spans[1].is_recording()
    assert ours[0].exported() == ours[1].exported()


def leave(kept, error, options):
    """Leave a block by an exception, and look at what is current in it and after it."""
    before = trace.get_current_span()
    seen = []

    def work():
        with kept.tracer.start_as_current_span("work", start_time=1, **options) as span:
            seen.extend((span, trace.get_current_span()))
            raise error

    with pytest.raises(type(error)) as left:
        work()
    span, current = seen
    assert (left.value, current, trace.get_current_span()) == (error, span, before)
    ended = not span.is_recording()
    span.end(2)
    return ended, span.status.status_code, span.status.description, [event.name for event in span.events]


@pytest.mark.parametrize("off", ["", "record_exception", "set_status_on_exception", "end_on_exit"])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_blocks_are_left_alike(error, off):
    """The exception goes on, is told as the options say, and the context is what it was."""
    heavy, light = both()
    options = {off: False} if off else {}
    assert leave(heavy, error, options) == leave(light, error, options)


def test_blocks_decorate():
    """Each call of a decorated function is a span, of a coroutine function until it is awaited."""
    (_, light) = both()

    @light.tracer.start_as_current_span("plain")
    def plain(number):
        return number, trace.get_current_span().name

    @light.tracer.start_as_current_span("awaited")
    async def awaited(number):
        await asyncio.sleep(0)
        return number, trace.get_current_span().name

    assert [plain(1), plain(2), asyncio.run(awaited(3))] == [(1, "plain"), (2, "plain"), (3, "awaited")]
    assert [span.name for span in light.exporter.get_finished_spans()] == ["plain", "plain", "awaited"]


def test_the_span_itself_is_handed_on():
    """What processors get is the span, which takes no change any more."""
    (_, light) = both()
    span = light.tracer.start_span("work")
    span.set_status(Status(StatusCode.ERROR, "why"))
    span.end()

    assert light.exporter.get_finished_spans() == (span,)
    assert type(span) is LightSpan


def test_a_span_with_more_in_it_is_left_to_the_sdk(monkeypatch, caplog):
    """A release whose spans have something that ours lack has its own spans, and that is said once."""
    from opentelemetry.sdk.trace import Span  # noqa: PLC0415 - replaced here

    original = Span.__init__

    def longer(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self._severity = 1

    monkeypatch.setattr(Span, "__init__", longer)
    monkeypatch.setattr(light_tracer, "_alike", None)
    monkeypatch.setattr("spanglass.sdk.private.features._reported", set())
    provider = LightTracerProvider(shutdown_on_exit=False)
    with caplog.at_level(logging.WARNING, "spanglass"):
        tracers = [provider.get_tracer(name) for name in ("a", "b")]

    assert [type(tracer) is LightTracer for tracer in tracers] == [False, False]
    assert [record.getMessage().partition("needs, ")[2] for record in caplog.records] == [
        "_severity: spans cost the application more time"
    ]


def test_an_ended_span_is_copied_as_the_sdks_is():
    """Exporters that change what they send copy it first, and the copy says the same."""
    copies = []
    for kept in both():
        with kept.tracer.start_as_current_span("work", attributes={"own": 1}, start_time=1, end_on_exit=False) as span:
            span.add_event("seen", {"times": 2}, 1)
            span.add_link(REMOTE)
        span.end(2)
        (ended,) = kept.exporter.get_finished_spans()
        copies.append(deepcopy(ended))
        copies[-1]._attributes = {**copies[-1].attributes, "more": 2}
        assert "more" not in ended.attributes

    assert copies[0].to_json() == copies[1].to_json()
