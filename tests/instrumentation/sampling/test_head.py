"""Sampling at the beginning of a trace."""

from __future__ import annotations

import logging
import random

import pytest
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from spanglass.sampling.head import RatioSampler, head_sampler
from spanglass.sampling.probability import probability_of, randomness, threshold_in, threshold_of, with_threshold
from spanglass.settings.settings import load

PROBABILITY = "spanglass.sampling.probability"


class _SeededIds(RandomIdGenerator):
    """Ids that are the same in every run."""

    def __init__(self, seed=7):
        self._random = random.Random(seed)  # noqa: S311 - ids of a test

    def generate_trace_id(self):
        return self._random.getrandbits(128) or 1

    def generate_span_id(self):
        return self._random.getrandbits(64) or 1


def _service(sampler):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler, id_generator=_SeededIds())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test"), exporter


def _remote(trace_id=1, *, sampled=True, state=None):
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else 0)
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, 2, True, flags, TraceState(state or []))))  # noqa: FBT003


def test_a_tenth_of_the_traces_is_kept_and_children_follow():
    """N6: with 0.1, 10 % of the roots are kept, within the binomial error, and of each trace all spans or none."""
    tracer, exporter = _service(RatioSampler(0.1))
    roots, children = 5000, 3
    for _ in range(roots):
        with tracer.start_as_current_span("root"):
            for _ in range(children):
                tracer.start_span("child").end()
    spans = exporter.get_finished_spans()
    kept = [span for span in spans if span.name == "root"]
    deviation = (roots * 0.1 * 0.9) ** 0.5
    assert abs(len(kept) - roots * 0.1) < 3 * deviation
    assert len(spans) == len(kept) * (1 + children)
    # counts can be scaled up again from what the spans themselves say
    assert {span.attributes[PROBABILITY] for span in spans} == {0.1}
    assert abs(sum(1 / span.attributes[PROBABILITY] for span in kept) - roots) < 30 * deviation


def test_the_probability_travels_in_the_tracestate():
    """A service further down, with a ratio of its own, follows the parent and says the parent's probability."""
    first, _ = _service(RatioSampler(0.25))
    second, exporter = _service(RatioSampler(1.0))
    headers = {}
    while True:
        with first.start_as_current_span("root") as span:
            if span.is_recording():
                inject(headers)
                break
    assert headers["tracestate"] == "ot=th:c"
    second.start_span("server", extract(headers)).end()
    (span,) = exporter.get_finished_spans()
    assert span.attributes[PROBABILITY] == 0.25
    assert span.context.trace_state["ot"] == "th:c"


def test_services_with_one_ratio_keep_the_same_traces():
    """The decision depends on the trace id alone; a larger ratio keeps all that a smaller one does."""
    ids = [_SeededIds(number).generate_trace_id() for number in range(2000)]
    kept = {
        ratio: {each for each in ids if RatioSampler(ratio).should_sample(None, each, "x").decision.is_sampled()}
        for ratio in (0.1, 0.5)
    }
    assert kept[0.1] < kept[0.5]


def test_everything_is_kept_without_a_word():
    """With 1 nothing is added to the spans or to the headers of requests."""
    tracer, exporter = _service(RatioSampler(1))
    headers = {}
    with tracer.start_as_current_span("root", attributes={"a": 1}):
        inject(headers)
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes) == {"a": 1}
    assert set(headers) == {"traceparent"}


def test_nothing_is_kept_with_zero():
    """0 records no trace that begins here, and those of others as they were decided."""
    tracer, exporter = _service(RatioSampler(0))
    tracer.start_span("root").end()
    tracer.start_span("server", _remote()).end()
    assert [span.name for span in exporter.get_finished_spans()] == ["server"]


def test_a_parent_that_was_not_kept_is_followed():
    """Whatever the own ratio is, and its tracestate is handed on."""
    result = RatioSampler(1).should_sample(_remote(sampled=False, state=[("x", "y")]), 1, "x")
    assert not result.decision.is_recording()
    assert dict(result.trace_state) == {"x": "y"}


def test_a_parent_that_does_not_say_its_probability():
    """It counts once: no probability is made up."""
    attributes = {"a": 1}
    result = RatioSampler(0.1).should_sample(_remote(state=[("x", "y")]), 1, "x", attributes=attributes)
    assert result.decision.is_sampled()
    assert dict(result.attributes) == attributes


def test_spans_decided_one_by_one():
    """Without following, every span is decided by its trace, and what else the tracestate held stays."""
    sampler = RatioSampler(0.5, follow_parent=False)
    state = [("ot", "rv:ffffffffffffff;x:1"), ("v", "w")]
    result = sampler.should_sample(_remote(sampled=False, state=state), 1, "x")
    assert result.decision.is_sampled()
    assert dict(result.trace_state) == {"ot": "th:8;rv:ffffffffffffff;x:1", "v": "w"}
    assert not sampler.should_sample(_remote(trace_id=1), 1, "x").decision.is_sampled()


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_outside_0_to_1_is_refused(ratio):
    """The error names the argument."""
    with pytest.raises(ValueError, match="ratio: expected a number from 0 to 1"):
        RatioSampler(ratio)


@pytest.mark.parametrize(
    ("environ", "options", "stated", "description"),
    [
        ({}, {}, None, "SpanglassRatio{1.0}"),
        ({}, {"sample_ratio": "10%"}, None, "SpanglassRatio{0.1}"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.2"}, {}, None,
         "SpanglassRatio{0.2}"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.2"}, {}, None,
         "SpanglassRatioOfSpans{0.2}"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, {"sample_ratio": 0.5}, None, "SpanglassRatio{0.5}"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, {"sample_ratio": 1}, True, "SpanglassRatio{1.0}"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, {}, None, None),
    ],
)  # fmt: skip
def test_the_sampler_of_settings_and_variables(environ, options, stated, description):
    """Our setting comes first, then OpenTelemetry's ratio; any other sampler is OpenTelemetry's to make."""
    sampler = head_sampler(load(options, {}), environ, stated=stated)
    assert (sampler.get_description() if sampler else None) == description


def test_a_ratio_that_is_none_is_warned_of(caplog):
    """As the SDK does: every trace is recorded, and the log names the variable."""
    environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "ten"}
    with caplog.at_level(logging.WARNING):
        sampler = head_sampler(load({}, {}), environ)
    assert sampler.get_description() == "SpanglassRatioOfSpans{1.0}"
    assert [record.getMessage() for record in caplog.records] == [
        "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1 (got 'ten'); every trace is recorded"
    ]


@pytest.mark.parametrize(
    ("probability", "th"), [(1, "0"), (0.5, "8"), (0.25, "c"), (0.1, "e6666666666666"), (1e-6, "ffffef39085f4a")]
)
def test_thresholds_as_the_specification_writes_them(probability, th):
    """In hex without the zeros at the end, and back again."""
    state = with_threshold(None, threshold_of(probability))
    assert state["ot"] == f"th:{th}"
    assert probability_of(threshold_in(state)) == pytest.approx(probability, rel=1e-9)
    assert probability_of(threshold_of(0.05)) == 0.05


@pytest.mark.parametrize("text", ["", "th:", "th:xyz", "th:E6", "th:123456789012345", "p:8;r:62", ";;", "th:-1"])
def test_a_tracestate_that_says_nothing_is_nothing(text):
    """Malformed thresholds come from strangers: they are left aside."""
    assert threshold_in({"ot": text}) is None


def test_randomness():
    """The explicit value of the tracestate, else the last 56 bits of the trace id."""
    assert randomness(0xAA_BBCCDDEEFF0011) == 0xBBCCDDEEFF0011
    assert randomness(1, {"ot": "th:8;rv:00000000000005"}) == 5
    assert randomness(1, {"ot": "rv:5"}) == 1
