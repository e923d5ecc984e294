"""Spans by hand."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from spanglass.api.spans import Tracer, current_span, span, start_span


def test_a_span_has_name_attributes_and_kind(sent):
    """Keywords become attributes under their own names, and the mapping takes those with dots."""
    with span("charge", kind="client", amount=3.5, attributes={"http.route": "/pay"}, plan=None) as charge:
        assert current_span().otel is charge.otel

    assert (sent.span.name, sent.span.kind) == ("charge", SpanKind.CLIENT)
    assert dict(sent.span.attributes) == {"http.route": "/pay", "amount": 3.5}
    assert current_span().trace_id == ""


def test_set_takes_all_its_forms(sent):
    """One key and value, keywords, a mapping, and OpenTelemetry's own name for it."""
    with span("s") as handle:
        handle.set("a.b", 1)
        handle.set(c=2, d=None)
        handle.set({"e.f": 3}, g=4)
        handle.set_attribute("h", 5)

    assert dict(sent.span.attributes) == {"a.b": 1, "c": 2, "e.f": 3, "g": 4, "h": 5}


def test_events_links_and_names(sent):
    """Events have attributes; links take spans, contexts and traceparents; a span can be renamed."""
    with span("first") as first:
        pass
    with span("s", links=[first]) as handle:
        handle.event("retry", attempt=2)
        handle.event("bare")
        handle.link(first.otel.get_span_context(), reason="again")
        handle.link(first.traceparent)
        handle.rename("better")

        assert handle.name == "better"

    linked = sent.spans[1]
    assert linked.name == "better"
    assert [(event.name, dict(event.attributes)) for event in linked.events] == [
        ("retry", {"attempt": 2}),
        ("bare", {}),
    ]
    assert [trace.format_span_id(link.context.span_id) for link in linked.links] == [first.span_id] * 3
    assert [dict(link.attributes) for link in linked.links] == [{}, {"reason": "again"}, {}]


def test_ids_are_those_of_the_span(sent):
    """trace_id, span_id and traceparent are the W3C texts of the same span."""
    with span("s") as handle:
        flags = handle.otel.get_span_context().trace_flags

        assert handle.traceparent == f"00-{handle.trace_id}-{handle.span_id}-{flags:02x}"

    context = sent.span.get_span_context()
    assert (int(handle.trace_id, 16), int(handle.span_id, 16)) == (context.trace_id, context.span_id)


def test_an_exception_is_recorded_and_goes_on(sent):
    """What leaves the block is an event of the span, its status and its error.type, and still raised."""
    with pytest.raises(LookupError, match="nobody"), span("s"):
        raise LookupError("nobody")

    assert (sent.span.status.status_code, sent.span.status.description) == (StatusCode.ERROR, "LookupError: nobody")
    assert [event.name for event in sent.span.events] == ["exception"]
    assert sent.span.attributes["error.type"] == "LookupError"


def test_recording_can_be_left_off(sent):
    """With record_exceptions=False the status tells, and no event is added."""
    with pytest.raises(ValueError, match="x"), span("s", record_exceptions=False):
        raise ValueError("x")

    assert (sent.span.status.status_code, list(sent.span.events)) == (StatusCode.ERROR, [])


def test_leaving_is_no_error(sent):
    """SystemExit, and the cancellation of a task, end a span without an error."""
    with pytest.raises(SystemExit), span("s"):
        raise SystemExit

    assert (sent.span.status.status_code, list(sent.span.events)) == (StatusCode.UNSET, [])


def test_a_description_given_by_hand_stays(sent):
    """fail() before an exception keeps its words; the exception is recorded too."""

    def give_up(handle):
        handle.fail("no stock")
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"), span("s") as handle:
        give_up(handle)

    assert (sent.span.status.description, len(sent.span.events)) == ("no stock", 1)


def test_an_exception_that_cannot_be_printed_is_still_recorded(sent):
    """An exception whose __str__ raises does not replace itself by another one."""

    class Broken(Exception):  # noqa: N818 - it is one in more than one sense
        def __str__(self):
            raise RuntimeError("no text")

    with pytest.raises(Broken), span("s"):
        raise Broken

    assert sent.span.name == "s"
    assert sent.span.status.description.endswith("Broken: RuntimeError in its __str__>")


def test_nested_spans_are_parent_and_child_across_await(sent):
    """Inside a block, also after an await, what starts is a child; two tasks do not disturb one another."""

    async def work(name):
        with span(name) as outer:
            await asyncio.sleep(0)
            with span(f"{name}-child"):
                await asyncio.sleep(0)
            return outer.span_id

    async def both():
        return await asyncio.gather(work("a"), work("b"))

    ids = asyncio.run(both())

    parents = {each.name: each.parent and trace.format_span_id(each.parent.span_id) for each in sent.spans}
    assert parents == {"a": None, "b": None, "a-child": ids[0], "b-child": ids[1]}


def test_the_explicit_form(sent):
    """start_span is not current; its parent is the current span or the one named; end counts once."""
    with span("outer") as outer:
        child = start_span("child", n=1)
        grandchild = Tracer().start_span("grandchild", parent=child)
        assert current_span().span_id == outer.span_id
        grandchild.set_attribute("k", "v")
        grandchild.end()
        grandchild.end()
        child.end()

    assert [each.name for each in sent.spans] == ["grandchild", "child", "outer"]
    assert trace.format_span_id(sent.spans[0].parent.span_id) == child.span_id
    assert trace.format_span_id(sent.spans[1].parent.span_id) == outer.span_id
    assert dict(sent.spans[0].attributes) == {"k": "v"}


def test_a_remote_parent_is_continued(sent):
    """A traceparent as the parent puts the span into that trace."""
    start_span("job", parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").end()

    assert trace.format_trace_id(sent.span.context.trace_id) == "0af7651916cd43dd8448eb211c80319c"
    assert trace.format_span_id(sent.span.parent.span_id) == "b7ad6b7169203331"


@pytest.mark.parametrize("wrong", [3, None, object()])
def test_what_is_no_span_is_not_linked(sent, failures, wrong):
    """A link to something else is left out and counted, and the block goes on."""
    with span("s") as handle:
        handle.link(wrong)

    assert list(sent.span.links) == []
    assert failures == {"link a span": 1}


def test_a_text_that_is_no_traceparent_is_not_linked(sent):
    """A wrong traceparent links to nothing, not to the current span."""
    with span("s") as handle:
        handle.link("nonsense")

    assert list(sent.span.links) == []


def test_nothing_happens_after_the_end(sent, caplog):
    """Every call after the end is without effect, and without a warning of the SDK."""
    with span("s", a=1) as handle:
        pass
    handle.set(b=2)
    handle.event("late")
    handle.end()

    assert dict(sent.span.attributes) == {"a": 1}
    assert caplog.records == []


def test_everything_works_without_providers():
    """Where nobody configured anything all calls are no-ops, and ids are empty."""
    with span("s", a=object()) as handle:
        handle.set(b={1: 2})
        handle.event("e")
        handle.fail("f")
        handle.link(handle)

        assert (handle.trace_id, handle.span_id, handle.traceparent, handle.name) == ("", "", "", "s")

    assert current_span().name == ""


def test_a_remote_trace_goes_on_without_providers():
    """Without providers a span carries the trace that came in, so that it can be passed on."""
    incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with start_span("in", parent=incoming), span("inner") as handle:
        assert handle.traceparent == incoming


class BrokenProcessor(SpanProcessor):
    """Raises when one of these spans starts or ends."""

    def on_start(self, span, parent_context=None):  # noqa: ARG002, D102 - the SDK's
        if span.name == "lost":
            raise RuntimeError("broken")

    def on_end(self, span):  # noqa: D102 - the SDK's
        if span.name == "kept":
            raise RuntimeError("broken")


def test_a_broken_processor_does_not_break_the_block(sent, monkeypatch, failures):
    """An exception of a processor or sampler is counted; the body runs, and children find their parent."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    sent.providers.tracer.add_span_processor(BrokenProcessor())

    with span("kept") as kept, span("lost"), span("inner"):
        pass

    assert failures == {"start a span": 1, "end a span": 1}
    assert [each.name for each in sent.spans] == ["inner", "kept"]
    assert trace.format_span_id(sent.spans[0].parent.span_id) == kept.span_id


def test_a_block_may_end_in_another_context(sent, caplog):
    """A span that is left in another context than it was entered in ends quietly, and stays nowhere current."""
    handle = span("s")
    contextvars.copy_context().run(handle.__enter__)
    handle.__exit__(None, None, None)

    assert sent.span.name == "s"
    assert current_span().trace_id == ""
    assert caplog.records == []


@pytest.mark.usefixtures("sent")
def test_a_copied_context_is_put_right():
    """Where the copy of a context has the span as its current one, leaving it there makes the one before current."""
    with span("outer") as outer:
        handle = span("s")
        handle.__enter__()
        copied = contextvars.copy_context()

        def leave():
            handle.__exit__(None, None, None)
            return current_span().span_id

        assert copied.run(leave) == outer.span_id


def test_threads_share_a_span(sent):
    """Attributes set by many threads at once all arrive."""
    with span("s") as handle:
        threads = [threading.Thread(target=handle.set, args=(f"k{i}", i)) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert dict(sent.span.attributes) == {f"k{i}": i for i in range(16)}
