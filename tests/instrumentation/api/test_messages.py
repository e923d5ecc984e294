"""Structured log records, and events."""

from __future__ import annotations

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LogRecordProcessor

from spanglass.api import messages
from spanglass.api.spans import span


def values_of(record):
    """The attributes without those that say where the call is."""
    return {key: value for key, value in record.attributes.items() if not key.startswith("code.")}


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("debug", SeverityNumber.DEBUG, "DEBUG"),
        ("info", SeverityNumber.INFO, "INFO"),
        ("warning", SeverityNumber.WARN, "WARN"),
        ("error", SeverityNumber.ERROR, "ERROR"),
        ("fatal", SeverityNumber.FATAL, "FATAL"),
    ],
)
def test_each_severity(sent, name, number, text):
    """Each function sends its severity; the body is the finished text, template and values are attributes."""
    getattr(messages, name)("{user} paid {amount:.2f}", user="ann", amount=3.5)

    assert (sent.log.severity_number, sent.log.severity_text) == (number, text)
    assert sent.log.body == "ann paid 3.50"
    assert values_of(sent.log) == {
        "spanglass.message.template": "{user} paid {amount:.2f}",
        "user": "ann",
        "amount": 3.5,
    }
    assert sent.log.event_name is None


def test_a_record_belongs_to_the_current_span_and_its_caller(sent):
    """A record has the ids of the span around it, a time, and the place of the call."""
    with span("s") as handle:
        messages.info("here")

    assert (sent.log.trace_id, sent.log.span_id) == (int(handle.trace_id, 16), int(handle.span_id, 16))
    assert sent.log.timestamp > 0
    name = "test_a_record_belongs_to_the_current_span_and_its_caller"
    place = {key: value for key, value in sent.log.attributes.items() if key != "code.line.number"}
    assert place == {"code.function.name": f"{__name__}.{name}", "code.file.path": __file__}
    code = globals()[name].__code__
    assert code.co_firstlineno < sent.log.attributes["code.line.number"] < code.co_firstlineno + 5


def test_without_values_the_text_is_as_it_is(sent):
    """Braces mean nothing where no values are given: an f-string may hold JSON."""
    messages.info('got {"a": 1} and {')

    assert sent.log.body == 'got {"a": 1} and {'
    assert values_of(sent.log) == {}


class Broken:
    """Cannot be formatted."""

    def __format__(self, spec):
        raise RuntimeError("no format")


@pytest.mark.parametrize(
    ("template", "values", "problem"),
    [
        ("{usr} paid", {"user": "ann"}, "KeyError: 'usr'"),
        ("{} paid", {"user": "ann"}, "ValueError: Format string contains positional fields"),
        ("{user paid", {"user": "ann"}, "ValueError: expected '}' before end of string"),
        ("{user:d} paid", {"user": "ann"}, "ValueError: Unknown format code 'd' for object of type 'str'"),
        ("{user} paid", {"user": Broken()}, "RuntimeError: no format"),
    ],
)
def test_wrong_placeholders_leave_the_text(sent, template, values, problem):
    """A text that cannot be finished is sent as it is, and says why."""
    messages.warning(template, **values)

    assert sent.log.body == template
    assert sent.log.attributes["spanglass.message.error"] == problem


def test_names_with_dots_and_odd_values(sent):
    """The mapping takes names with dots; values become what OpenTelemetry takes; None is left out."""
    messages.info("{n}", n=None, attributes={"http.route": "/", "order": {"id": 1}})

    assert sent.log.body == "None"
    assert values_of(sent.log) == {
        "http.route": "/",
        "order": '{"id":1}',
        "spanglass.message.template": "{n}",
    }


def fail():
    raise LookupError("gone")


def raised():
    """An exception with a traceback."""
    try:
        fail()
    except LookupError as error:
        return error


@pytest.mark.parametrize("name", ["error", "fatal"])
def test_an_error_has_the_exception_being_handled(sent, name):
    """In an except block error and fatal send the exception too, unless told not to."""
    try:
        fail()
    except LookupError:
        getattr(messages, name)("failed")
        getattr(messages, name)("failed", exc_info=False)
    getattr(messages, name)("outside")

    types = [record.attributes.get("exception.type") for record in sent.logs]
    assert types == ["LookupError", None, None]
    assert "raise LookupError" in sent.logs[0].attributes["exception.stacktrace"]


def test_exc_info_in_all_forms(sent):
    """An exception, True in an except block, or the tuple of sys.exc_info; the others send none by themselves."""
    error = raised()
    messages.info("a", exc_info=error)
    messages.info("b", exc_info=(type(error), error, error.__traceback__))
    messages.info("c", exc_info=(None, None, None))
    try:
        raise error
    except LookupError:
        messages.debug("d", exc_info=True)
        messages.warning("e")

    assert [record.attributes.get("exception.type") for record in sent.logs] == [
        "LookupError",
        "LookupError",
        None,
        "LookupError",
        None,
    ]


def test_an_event_is_a_record_with_a_name(sent):
    """event() sends name, user, session and attributes; what is not given is not there."""
    messages.event("signup", user_id="u1", session_id="s1", plan="pro")
    messages.event("feature_used", attributes={"feature.name": "export"})

    assert [(record.event_name, record.body, record.severity_text) for record in sent.logs] == [
        ("signup", "signup", "INFO"),
        ("feature_used", "feature_used", "INFO"),
    ]
    assert [values_of(record) for record in sent.logs] == [
        {"user.id": "u1", "session.id": "s1", "plan": "pro"},
        {"feature.name": "export"},
    ]


def test_without_providers_values_are_not_looked_at():
    """Where nobody configured anything nothing is formatted."""

    class Untouchable:
        def __format__(self, spec):
            raise AssertionError("looked at")

    messages.error("{x}", x=Untouchable())


def test_a_broken_processor_does_not_break_the_caller(sent, monkeypatch, failures):
    """An exception of a log processor is counted, not raised."""

    class BrokenProcessor(LogRecordProcessor):
        def on_emit(self, log_record):  # noqa: ARG002 - the SDK's signature
            raise RuntimeError("broken")

        def shutdown(self):
            pass

        def force_flush(self, timeout_millis=0):  # noqa: ARG002 - the SDK's signature
            return True

    monkeypatch.delenv("SPANGLASS_STRICT")
    sent.providers.logger.add_log_record_processor(BrokenProcessor())

    messages.info("x")

    assert failures == {"send a log record": 1}


def test_what_is_no_text_is_printed(sent):
    """A message of another type is sent as its text."""
    messages.info(LookupError("gone"))
    messages.info(3, x=1)

    assert [record.body for record in sent.logs] == ["gone", "3"]
