# ruff: noqa: PT012 - what fails stands in a span, and sometimes is caught before it leaves

import logging
import weakref

import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs._internal import _exceptions
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from spanglass.exceptions.telling import capture_exception
from spanglass.scrubbing.scrubber import Scrubber
from spanglass.settings.table import Settings

CHAIN, ID = "spanglass.exception.chain", "spanglass.exception.occurrence_id"
FULL = {"exception.type", "exception.message", "exception.stacktrace", "exception.escaped", CHAIN, ID}
BRIEF = {"exception.type", "exception.message", "exception.escaped", ID}


class PaymentError(Exception):
    """An application's own."""


def fail():
    """Raise."""
    raise PaymentError("card refused")


def login(password):
    """Raise, with a secret in message and variable."""
    raise ValueError(f"login failed: password={password}")


def log(sent, error):
    """Send a log record that carries an exception, as the manual API does."""
    sent.logger_provider.get_logger("test").emit(body="it failed", exception=error)


def test_an_exception_that_leaves_the_local_root_is_told_on_both_signals(sent, chain_of):
    """The span gets event and error.type; one log record tells the same occurrence, with its place in the code."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):
        fail()

    (event,), (record,) = sent.events("root"), sent.logs
    span = sent.spans["root"]
    assert set(event) == FULL
    assert event["exception.type"] == f"{__name__}.PaymentError"
    assert event["exception.message"] == "card refused"
    assert event["exception.stacktrace"].endswith(f"{__name__}.PaymentError: card refused\n")
    assert [frame["function"] for frame in chain_of(event)[0]["frames"]][-1] == "fail"
    assert span.attributes["error.type"] == f"{__name__}.PaymentError"
    assert span.status.status_code is StatusCode.ERROR
    assert (record.event_name, record.severity_number, record.severity_text) == (
        "exception",
        SeverityNumber.ERROR,
        "ERROR",
    )
    assert record.body == f"{__name__}.PaymentError: card refused"
    assert record.timestamp == sent.clock.now_ns
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    shared = {"exception.type", "exception.message", "exception.stacktrace", CHAIN, ID}
    assert {key: event[key] for key in shared} == {key: record.attributes[key] for key in shared}
    assert {key: value for key, value in record.attributes.items() if key not in shared} == {
        "spanglass.exception.handled": False,
        "code.file.path": __file__,
        "code.function.name": f"{__name__}.fail",
        "code.line.number": fail.__code__.co_firstlineno + 2,
    }


def test_a_call_that_fails_outside_of_spans_may_be_handled(sent):
    """An exception that leaves a root of kind client is told by its span; no record says that nobody handled it."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("PING", kind=SpanKind.CLIENT):
        fail()

    (event,) = sent.events("PING")
    assert set(event) == FULL
    assert sent.spans["PING"].attributes["error.type"] == f"{__name__}.PaymentError"
    assert sent.logs == []


def test_nested_spans_tell_one_occurrence(sent):
    """The innermost span tells it in full, those around it by its id, and one log record names the innermost."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):  # noqa: SIM117 - one is outside
        with sent.tracer.start_as_current_span("middle"), sent.tracer.start_as_current_span("inner"):
            fail()

    events = [*sent.events("inner"), *sent.events("middle"), *sent.events("root")]
    assert [set(event) for event in events] == [FULL, BRIEF, BRIEF]
    assert {event[ID] for event in events} == {"id1"}
    (record,) = sent.logs
    assert record.attributes[ID] == "id1"
    assert CHAIN in record.attributes
    assert record.span_id == sent.spans["inner"].context.span_id


def test_the_log_record_has_the_whole_stack(sent, chain_of):
    """The record is written at the root, where more of the stack is known than at the innermost span."""

    def outer():
        with sent.tracer.start_as_current_span("inner"):
            fail()

    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):
        outer()

    assert [frame["function"].rpartition(".")[2] for frame in chain_of(sent.events("inner")[0])[0]["frames"]] == [
        "outer",
        "fail",
    ]
    assert [frame["function"].rpartition(".")[2] for frame in chain_of(sent.logs[0].attributes)[0]["frames"]] == [
        "test_the_log_record_has_the_whole_stack",
        "outer",
        "fail",
    ]


def test_a_handled_exception_is_on_its_span_only(sent):
    """What the application catches inside the root is no log record; nor what it records on a span itself."""
    with sent.tracer.start_as_current_span("root") as root:
        try:
            with sent.tracer.start_as_current_span("inner"):
                fail()
        except PaymentError as error:
            root.record_exception(error)

    assert [set(event) for event in sent.events("inner") + sent.events("root")] == [FULL, BRIEF]
    assert "error.type" not in sent.spans["root"].attributes
    assert sent.logs == []


def test_a_span_with_a_remote_parent_is_a_local_root(sent):
    """Of a request that came from another service the first span in this process counts."""
    remote = set_span_in_context(NonRecordingSpan(SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))))

    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("server", context=remote):
        fail()

    assert [record.trace_id for record in sent.logs] == [5]


def test_one_event_a_span(sent):
    """An exception that the application records before it leaves the span is not recorded there twice."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root") as span:
        try:
            fail()
        except PaymentError as error:
            span.record_exception(error)
            raise

    assert len(sent.events("root")) == 1
    assert len(sent.logs) == 1


def test_attributes_time_and_escaped_are_kept(sent):
    """Everything that OpenTelemetry's signature takes arrives; with attributes a second event is one."""
    span = sent.tracer.start_span("s")
    span.record_exception(ValueError("x"), {"retry": 1, "exception.message": "mine"}, 5, True)  # noqa: FBT003
    span.end()

    (event,) = sent.spans["s"].events
    assert (event.timestamp, event.attributes["retry"], event.attributes["exception.escaped"]) == (5, 1, "True")
    assert event.attributes["exception.message"] == "mine"


def test_a_wrapped_exception_knows_the_one_inside(sent, chain_of):
    """`raise ... from` is an occurrence of its own, whose chain names the occurrence that was told before."""
    with pytest.raises(KeyError), sent.tracer.start_as_current_span("root"):
        try:
            with sent.tracer.start_as_current_span("inner"):
                fail()
        except PaymentError as error:
            raise KeyError("order") from error

    (inner,), (outer,) = sent.events("inner"), sent.events("root")
    assert (inner[ID], outer[ID]) == ("id1", "id2")
    assert [entry.get("occurrence_id") for entry in chain_of(outer)] == ["id2", "id1"]


def test_what_was_logged_is_not_logged_again(sent):
    """A log record that carries the exception is the one that tells it; what comes later has its id."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):
        try:
            fail()
        except PaymentError as error:
            log(sent, error)
            log(sent, error)
            raise

    first, second = sent.logs
    assert set(first.attributes) == FULL - {"exception.escaped"} | {"spanglass.exception.handled"}
    assert set(second.attributes) == BRIEF - {"exception.escaped"} | {"spanglass.exception.handled"}
    assert first.attributes[ID] == second.attributes[ID] == sent.events("root")[0][ID]
    assert first.attributes["spanglass.exception.handled"] is True


def test_a_log_after_the_root_is_brief(sent):
    """A server that logs what left the application repeats no stack."""
    with pytest.raises(PaymentError) as found, sent.tracer.start_as_current_span("root"):
        fail()
    log(sent, found.value)

    assert [CHAIN in record.attributes for record in sent.logs] == [True, False]


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), StopIteration()])
def test_control_flow_is_as_opentelemetry_has_it(sent, error):
    """What is no error gets OpenTelemetry's own event, and no occurrence."""
    span = sent.tracer.start_span("s")
    span.record_exception(error)
    span.end()
    log(sent, error)

    (event,), (record,) = sent.events("s"), sent.logs
    assert set(event) == {"exception.type", "exception.message", "exception.stacktrace", "exception.escaped"}
    assert set(record.attributes) == {"exception.type", "exception.message", "exception.stacktrace"}


def test_capture_exception_tells_what_is_being_handled(sent):
    """It sends a log record and puts the event on the current span, both with the fingerprint, and returns the id."""
    with sent.tracer.start_as_current_span("root"):
        try:
            fail()
        except PaymentError:
            told = capture_exception(fingerprint=["payment", "refused"], attributes={"order.id": 5})

    (record,), (event,) = sent.logs, sent.events("root")
    assert told == record.attributes[ID] == event[ID] == "id1"
    assert record.attributes["spanglass.exception.fingerprint"] == ("payment", "refused")
    assert event["spanglass.exception.fingerprint"] == ("payment", "refused")
    assert record.attributes["order.id"] == 5
    assert record.attributes["spanglass.exception.handled"] is True
    assert record.event_name == "exception"
    assert sent.spans["root"].status.is_unset


def test_capture_exception_takes_an_exception_that_was_never_raised(sent, chain_of):
    """Without a traceback it has no frames; one text is a fingerprint of one part."""
    told = capture_exception(ValueError("odd"), fingerprint="odd values", handled=False)

    (record,) = sent.logs
    assert (told, chain_of(record.attributes)[0]["frames"]) == ("id1", [])
    assert record.attributes["spanglass.exception.fingerprint"] == ("odd values",)
    assert record.attributes["spanglass.exception.handled"] is False
    assert "code.file.path" not in record.attributes


def test_capture_exception_without_an_exception_says_so(sent, caplog):
    """Outside of an except block there is nothing to tell, and the developer is told what to do."""
    assert capture_exception() == ""
    assert sent.logs == []
    assert caplog.messages == ["capture_exception() found no exception: call it in an except block, or pass one"]


def test_capture_exception_without_a_configuration_does_nothing():
    """Before configure and after shutdown the call is a no-op."""
    assert capture_exception(ValueError()) == ""


def test_everything_is_taken_back(sent):
    """After the uninstall OpenTelemetry's functions are its own again."""
    patched = Span.record_exception, _exceptions._get_exception_attributes
    sent.uninstall()

    assert Span.record_exception.__module__ == "opentelemetry.sdk.trace"
    assert _exceptions._get_exception_attributes.__module__.startswith("opentelemetry.")
    span = sent.tracer.start_span("s")
    patched[0](span, ValueError("x"))
    span.end()
    assert ID not in sent.events("s")[0]


def test_the_setting_leaves_opentelemetrys_own_recording(make_sent):
    """With capture_exceptions off spans are as OpenTelemetry has them; asked explicitly, an exception is told."""
    sent = make_sent(Settings(capture_exceptions=False))
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):
        fail()

    assert CHAIN not in sent.events("root")[0]
    assert sent.logs == []
    assert capture_exception(ValueError()) == "id1"


def test_a_failure_of_ours_leaves_opentelemetrys_event(sent, monkeypatch):
    """If our own description fails the application notices nothing, and the plain event is there."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(sent.capture, "_occurrence", lambda *_: 1 / 0)
    logging.getLogger("spanglass").setLevel(logging.CRITICAL)

    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root"):
        fail()
    logging.getLogger("spanglass").setLevel(logging.NOTSET)

    assert set(sent.events("root")[0]) == FULL - {CHAIN, ID}


def test_secrets_are_scrubbed_in_every_place(make_sent):
    """Neither event nor log record, in message, stack, chain or body, holds the secret."""
    sent = make_sent(scrubber=Scrubber())
    with pytest.raises(ValueError, match="login failed"), sent.tracer.start_as_current_span("root"):
        login("!2retnuh"[::-1])

    secret = "!2retnuh"[::-1]
    texts = [str(value) for value in [*sent.events("root")[0].values(), *sent.logs[0].attributes.values()]]
    assert not [text for text in [*texts, sent.logs[0].body] if secret in text]


_DUMP = """
import subprocess, sys
from urllib.parse import urlsplit

def dump():
    secret = "hunter2"
    arguments = [sys.executable, "-c", "raise SystemExit(3)", "--password", "hunter2", "--host", "db"]
    server = urlsplit("redis://bob:hunter2@db/")
    subprocess.run(arguments, check=True)

def retry():
    token : str = "hunter2"
    try:
        dump()
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"failed for {error.cmd}, {tuple(error.cmd)}") from error
"""


def test_secrets_in_arguments_and_source_lines_are_scrubbed(make_sent, tmp_path):
    """What a failed command was given leaves nothing: in messages, source lines, variables, and the log line of it."""
    file = tmp_path / "dump.py"
    file.write_text(_DUMP)
    scope = {"__name__": "dump"}
    exec(compile(_DUMP, str(file), "exec"), scope)  # noqa: S102 - so that it has source lines
    sent = make_sent(scrubber=Scrubber())
    with pytest.raises(RuntimeError) as raised, sent.tracer.start_as_current_span("root"):
        scope["retry"]()
    log(sent, raised.value)

    found = [*sent.events("root"), *(record.attributes for record in sent.logs), {"body": str(raised.value)}]
    texts = [str(value) for each in found for value in Scrubber().attributes(each).values()]
    told = "\n".join(texts)
    assert "hunter2" not in told
    assert all(
        text in told
        for text in ("--host", "subprocess.run(arguments, check=True)", "SplitResult", "[scrubbed: secret]")
    )


def test_an_exception_is_not_kept_alive(sent):
    """What was told holds neither the exception nor its frames."""

    class Held:
        """In a variable of the failing frame."""

    def run():
        held = Held()
        seen.append(weakref.ref(held))
        with sent.tracer.start_as_current_span("root"):
            raise PaymentError("x")

    seen = []
    with pytest.raises(PaymentError) as found:
        run()
    found.value.__traceback__ = None
    del found

    assert seen[0]() is None


def test_a_span_that_does_not_record_is_left_alone(sent):
    """After its end a span takes no events, and the exception's first description is still to come."""
    span = sent.tracer.start_span("s")
    span.end()
    error = ValueError("x")
    span.record_exception(error)
    with pytest.raises(ValueError, match="x"), sent.tracer.start_as_current_span("next"):
        raise error

    assert sent.events("s") == []
    assert set(sent.events("next")[0]) == FULL


def test_error_type_that_is_set_stays(sent):
    """An instrumentation that knows better what went wrong is not overruled."""
    with pytest.raises(PaymentError), sent.tracer.start_as_current_span("root") as span:
        span.set_attribute("error.type", "503")
        span.set_status(Status(StatusCode.ERROR))
        fail()

    assert sent.spans["root"].attributes["error.type"] == "503"


def test_exceptions_with_odd_classes_are_told(sent):
    """An exception whose text and representation fail leaves its type."""

    class Hostile(Exception):  # noqa: N818 - a name
        """Fails whenever it is asked."""

        def __str__(self):
            raise RuntimeError("no")

        __repr__ = __str__

    span = sent.tracer.start_span("s")
    span.record_exception(Hostile())
    span.end()

    assert sent.events("s")[0]["exception.message"] == "<RuntimeError in its __str__>"
    assert trace.get_current_span() is trace.INVALID_SPAN


class Panic(BaseException):
    """What an extension in Rust raises when it panics."""


class NoText(Exception):  # noqa: N818 - a name
    """Gives no text."""

    def __str__(self):
        raise RuntimeError("no text")


def current(tracer, error):
    """Leave a span that is current."""
    with tracer.start_as_current_span("s"):
        raise error


def used(tracer, error):
    """Leave a block in which a span is used."""
    with trace.use_span(tracer.start_span("s"), end_on_exit=True):
        raise error


def plain(tracer, error):
    """Leave the block of a span itself."""
    with tracer.start_span("s"):
        raise error


def decorated(tracer, error):
    """Leave a decorated coroutine."""

    @tracer.start_as_current_span("s")
    async def fail():
        raise error

    fail().send(None)


@pytest.mark.parametrize("leave", [current, used, plain, decorated])
@pytest.mark.parametrize(
    "error", [Panic("p"), SystemExit(3), NoText(), ValueError("v")], ids=lambda error: type(error).__name__
)
def test_whatever_fails_in_opentelemetrys_own_blocks_is_told(sent, leave, error, caplog):
    """What is no Exception, and what gives no text, is the error of its span and goes on as it is."""
    with pytest.raises(type(error)):
        leave(sent.tracer, error)

    assert sent.spans["s"].status.status_code == StatusCode.ERROR
    assert [event["exception.type"].rpartition(".")[2] for event in sent.events("s")] == [type(error).__name__]
    assert [record.event_name for record in sent.logs] == ["exception"]
    assert caplog.records == []


@pytest.mark.parametrize("leave", [current, used, decorated])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), GeneratorExit(), SystemExit(0)], ids=lambda error: type(error).__name__
)
def test_the_ends_of_processes_and_generators_are_no_errors(sent, leave, error):
    """They leave OpenTelemetry's blocks as they do without us."""
    with pytest.raises(type(error)):
        leave(sent.tracer, error)

    assert (sent.spans["s"].status.status_code, sent.events("s"), sent.logs) == (StatusCode.UNSET, [], [])
