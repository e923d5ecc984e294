import datetime as dt
import io
import logging
import logging.config
import subprocess
import sys
import threading

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.instrumentation.utils import suppress_instrumentation
from traitlets.config import Application
from uvicorn.config import LOGGING_CONFIG

from spanglass.guard import own_work
from spanglass.logs.install import install_logging
from spanglass.logs.sending import Sender
from spanglass.settings.table import Settings

ORIGINAL = logging.Logger.callHandlers


class Hostile:
    """Fails whenever it is asked."""

    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


def fail():
    """Raise."""
    raise ValueError("broken")


def rows(record, *names):
    """Return some attributes of a record."""
    return {name: record.attributes.get(name) for name in names}


def test_a_record_is_told_whole(sent, logger):
    """Text, template, values, severity, place, thread, time, logger and trace arrive."""
    with sent.tracer.start_as_current_span("s") as span:
        logger.warning("paid %s for %d", "tea", 3, extra={"order.id": 7, "vip": True})

    record = sent.log
    line = test_a_record_is_told_whole.__code__.co_firstlineno + 3
    assert sent.scope == logger.name
    assert (record.body, record.severity_number, record.severity_text) == (
        "paid tea for 3",
        SeverityNumber.WARN,
        "WARN",
    )
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert abs(record.observed_timestamp - record.timestamp) < 60 * 10**9
    assert dict(record.attributes) == {
        "order.id": 7,
        "vip": True,
        "spanglass.message.template": "paid %s for %d",
        "code.file.path": __file__,
        "code.function.name": "test_a_record_is_told_whole",
        "code.line.number": line,
        "thread.id": threading.get_ident(),
        "thread.name": "MainThread",
    }


@pytest.mark.parametrize(
    ("level", "number", "text"),
    [
        (3, SeverityNumber.TRACE, "Level 3"),
        (logging.DEBUG, SeverityNumber.DEBUG, "DEBUG"),
        (logging.INFO, SeverityNumber.INFO, "INFO"),
        (27, SeverityNumber.INFO4, "Level 27"),
        (logging.WARNING, SeverityNumber.WARN, "WARN"),
        (logging.ERROR, SeverityNumber.ERROR, "ERROR"),
        (logging.CRITICAL, SeverityNumber.FATAL, "FATAL"),
        (60, SeverityNumber.FATAL4, "Level 60"),
    ],
)
def test_levels_become_severities(sent, logger, level, number, text):
    """The conventions' names for the usual levels, the application's own for others."""
    logger.setLevel(1)
    logger.log(level, "x")

    assert (sent.log.severity_number, sent.log.severity_text) == (number, text)


@pytest.mark.parametrize(
    ("value", "sent_value"),
    [
        (dt.date(2026, 1, 2), "2026-01-02"),
        (2**64, "18446744073709551616"),
        ({"a": [1]}, '{"a":[1]}'),
        (["a", "b"], ("a", "b")),
        ("\udcff", "\\udcff"),
        (Hostile(), "<Hostile: RuntimeError in its __str__>"),
        (object(), "<builtins.object>"),
        (None, None),
    ],
)
def test_extra_values_are_what_opentelemetry_takes(sent, logger, value, sent_value):
    """What cannot be an attribute becomes text; nothing is lost, and nothing warns."""
    logger.info("x", extra={"it": value})

    assert sent.log.attributes.get("it") == sent_value


@pytest.mark.parametrize(
    ("message", "args", "body", "attributes"),
    [
        ("plain %", (), "plain %", {}),
        (
            "%(a)s",
            ({"a": 1},),
            "1",
            {"spanglass.message.template": "%(a)s", "spanglass.message.error": None},
        ),
        ("%s", ([1],), "[1]", {"spanglass.message.template": "%s"}),
        (
            "%d",
            ("x",),
            "%d",
            {"spanglass.message.error": "TypeError: %d format: a real number is required, not str"},
        ),
        ({"a": 1}, (), "{'a': 1}", {"spanglass.message.template": None}),
        (Hostile(), (), "<Hostile: RuntimeError in its __str__>", {}),
        ("\ud800", (), "\\ud800", {}),
        ("x" * 100_000, (), "x" * 65_535 + "…", {}),
    ],
)
def test_messages_of_any_kind(sent, logger, monkeypatch, message, args, body, attributes):
    """The finished text is sent; where it cannot be made, the template with the reason."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    logger.info(message, *args)

    assert sent.log.body == body
    assert rows(sent.log, *attributes) == attributes


def test_colours_are_for_the_terminal(sent, logger, caplog):
    """Escape sequences of colours are printed, and not sent; other text with a bracket stays."""
    logger.warning("\x1b[31m\x1b[1m%s\x1b[0m [3m]", "GET /value")

    assert sent.log.body == "GET /value [3m]"
    assert caplog.messages == ["\x1b[31m\x1b[1mGET /value\x1b[0m [3m]"]


def test_an_exception_is_told_in_full_once(sent, logger):
    """logging.exception carries the whole structure; a second record of the same exception its id."""
    try:
        fail()
    except ValueError as error:
        logger.exception("it failed")
        logger.error("again", exc_info=error)  # noqa: TRY400 - a logger's own way to carry one

    first, second = sent.logs
    shared = {"exception.type": "ValueError", "exception.message": "broken", "spanglass.exception.occurrence_id": "id1"}
    assert rows(first, *shared) == rows(second, *shared) == shared
    assert first.body == "it failed"
    assert "spanglass.exception.chain" in first.attributes
    assert first.attributes["exception.stacktrace"].endswith("ValueError: broken\n")
    assert {"spanglass.exception.chain", "exception.stacktrace"}.isdisjoint(second.attributes)


def test_without_a_capture_exceptions_are_opentelemetrys(sent, logger):
    """With capture_exceptions off a record has type, message and stack trace."""
    sent.uninstall()
    uninstall = install_logging(Settings(), logger_provider=sent.provider, capture=None)
    try:
        fail()
    except ValueError:
        logger.exception("it failed")
    uninstall()

    assert sent.log.attributes["exception.type"] == "ValueError"
    assert "spanglass.exception.chain" not in sent.log.attributes


@pytest.mark.parametrize("exc_info", [True, (None, None, None)])
def test_no_exception_is_no_failure(sent, logger, exc_info):
    """exc_info outside of an except block is empty."""
    logger.error("x", exc_info=exc_info)

    assert "exception.type" not in sent.log.attributes


def test_stacks_and_event_names(sent, logger):
    """stack_info becomes code.stacktrace; the conventions' key for an event's name names the event."""
    logger.info("x", stack_info=True, extra={"otel.event.name": "signup"})

    assert sent.log.event_name == "signup"
    assert sent.log.attributes["code.stacktrace"].startswith("Stack (most recent call last):")
    assert "otel.event.name" not in sent.log.attributes


def test_the_setting_of_the_level_comes_after_the_loggers(make_sent, logger):
    """A record below logger_level is not sent; nor one that its logger does not take."""
    sent = make_sent(logger_level="warning")
    logger.info("no")
    logger.warning("yes")
    logger.setLevel(logging.ERROR)
    logger.warning("no")

    assert sent.bodies == ["yes"]


def test_with_logs_off_only_ids_are_added(make_sent, logger, caplog):
    """The setting `logs` off sends nothing, and formats may still name ids."""
    sent = make_sent(logs=False)
    logger.info("x")

    assert sent.logs == []
    assert caplog.records[0].service_name == "shop"


CONFIGURATIONS = {
    "dictConfig": lambda: logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {}}),
    "fileConfig": lambda: logging.config.fileConfig(
        io.StringIO("[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nhandlers=\n"),
        disable_existing_loggers=False,
    ),
    "basicConfig": lambda: logging.basicConfig(force=True, stream=io.StringIO()),
}


@pytest.fixture
def root_as_it_was():
    """Put the root logger's handlers and level back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("root_as_it_was")
@pytest.mark.parametrize("configure", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_logging_that_is_configured_later_still_arrives(sent, logger, configure):
    """Whatever an application does to its handlers, its records are sent, once."""
    configure()
    logger.warning("after")

    assert sent.bodies == ["after"]


def test_a_logger_that_does_not_propagate_arrives(sent, logger):
    """Loggers of uvicorn and gunicorn have handlers of their own."""
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    logger.warning("x")

    assert sent.bodies == ["x"]


def test_uvicorns_own_configuration(sent):
    """Its error and access loggers arrive, and its coloured text does not."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(each.handlers[:], each.propagate, each.level) for each in loggers]
    logging.config.dictConfig(LOGGING_CONFIG)
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[36mStarted"})
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/", "1.1", 200, extra={"status": 200}
    )
    for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
        each.handlers[:], each.propagate, each.level = handlers, propagate, level

    assert sent.bodies == ["Started", '127.0.0.1:5 - "GET / HTTP/1.1" 200']
    assert "color_message" not in sent.logs[0].attributes


def test_the_kernel_of_a_notebook_sends_what_its_handler_prints(sent):
    """Traitlets' loggers take everything, the kernel's all code and output: the level is that of their handler."""

    class KernelApp(Application):
        """As Jupyter's kernel."""

    app = KernelApp()
    app.log.debug("execute_request: secret code")
    app.log.warning("no connection file")
    app.log_level = logging.DEBUG
    app.log.debug("asked for")
    app.log.handlers.clear()

    assert sent.bodies == ["no connection file", "asked for"]


def test_a_handlers_level_is_not_the_senders(sent, logger):
    """Of all other loggers records are sent that no handler prints."""
    logger.addHandler(logging.StreamHandler())
    logger.handlers[0].setLevel(logging.ERROR)
    logger.info("only sent")

    assert sent.bodies == ["only sent"]


def test_a_disabled_logger_does_not_arrive(sent, logger):
    """disable_existing_loggers is respected: such a logger writes nowhere."""
    logger.disabled = True
    logger.error("x")

    assert sent.logs == []


def test_our_own_loggers_are_not_sent(sent, caplog):
    """What sends logs may log: it is printed, and not sent; a name that only begins alike is the application's."""
    for name in ("spanglass", "spanglass.delivery", "opentelemetry.sdk", "opentelemetry_shop"):
        logging.getLogger(name).error("from %s", name)

    assert sent.bodies == ["from opentelemetry_shop"]
    assert len(caplog.records) == 4


def test_what_a_sender_logs_is_not_sent(sent, logger):
    """Code inside of a suppressed context is an exporter's: urllib3's lines about our own requests."""
    with suppress_instrumentation():
        logger.error("connection lost")

    assert sent.logs == []


def test_a_processor_that_logs_makes_no_loop(sent, logger):
    """A log processor of the application that logs for each record is heard on its handlers only."""
    real = sent.provider._multi_log_record_processor.on_emit

    def on_emit(record):
        logger.info("seen %s", record.log_record.body)
        real(record)

    sent.provider._multi_log_record_processor.on_emit = on_emit
    logger.info("x")

    assert sent.bodies == ["x"]


def test_threads_send_at_once(sent, logger):
    """Records of many threads all arrive, each once."""

    def work(number):
        for step in range(50):
            logger.info("%d.%d", number, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(sent.bodies) == sorted(f"{number}.{step}" for number in range(8) for step in range(50))


def written(logger, format_):
    """Have a logger write by a format into the buffer that is given back."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(format_))
    logger.addHandler(handler)
    return stream


def test_formats_may_name_trace_ids(sent, logger):
    """Each record of the application's own output has trace id, span id and service name, empty outside of spans."""
    stream = written(logger, "%(trace_id)s|%(span_id)s|%(service_name)s|%(message)s")
    logger.info("outside")
    with sent.tracer.start_as_current_span("s") as span:
        logger.info("inside")

    context = span.get_span_context()
    assert stream.getvalue() == f"||shop|outside\n{context.trace_id:032x}|{context.span_id:016x}|shop|inside\n"
    assert "trace_id" not in sent.logs[1].attributes


def test_ids_of_the_applications_own_stay(sent, logger, caplog):
    """An application that has a trace_id of its own keeps it, and is not refused by logging."""
    logger.info("x", extra={"trace_id": "mine"})

    assert caplog.records[0].trace_id == "mine"
    assert sent.log.attributes["trace_id"] == "mine"


def test_formats_that_name_ids_live_on(sent, logger):
    """After the uninstall a format that names ids finds them empty; without one everything is taken back."""
    stream = written(logger, "%(trace_id)s|%(message)s")
    sent.uninstall()
    logger.info("x")
    patched = logging.Logger.callHandlers
    logging.Logger.callHandlers = ORIGINAL
    logger.handlers.clear()

    assert stream.getvalue() == "|x\n"
    assert patched is not ORIGINAL
    assert sent.logs == []


def test_everything_is_taken_back(sent, logger):
    """After the uninstall logging is as it was."""
    sent.uninstall()
    logger.info("x")

    assert logging.Logger.callHandlers is ORIGINAL
    assert sent.logs == []


def test_opentelemetrys_handler_is_replaced(make_sent):
    """A handler of opentelemetry-instrumentation-logging would send all a second time; it comes back at the end."""
    root = logging.getLogger()
    theirs = LoggingHandler()
    root.addHandler(theirs)
    sent = make_sent()
    during = theirs in root.handlers
    sent.uninstall()
    after = theirs in root.handlers
    root.removeHandler(theirs)

    assert (during, after) == (False, True)


def test_a_failure_of_ours_is_not_the_applications(sent, logger, monkeypatch, caplog):
    """If sending fails the record reaches the application's handlers all the same."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(sent.capture, "log_attributes", lambda _: 1 / 0)
    logger.error("x", exc_info=ValueError())

    assert [record.message for record in caplog.records if record.name == logger.name] == ["x"]


def test_an_unconfigured_application_prints_as_ever():
    """Warnings of an application without handlers go to stderr, and basicConfig works: we are no handler."""
    code = """
import logging, sys
from opentelemetry.sdk._logs import LoggerProvider
from spanglass.logs.install import install_logging
from spanglass.settings.table import Settings
install_logging(Settings(), logger_provider=LoggerProvider(), capture=None)
logging.getLogger("a").warning("last resort")
logging.basicConfig(stream=sys.stdout, format="%(message)s %(trace_id)s.")
logging.getLogger("a").warning("configured")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=180)

    assert (ended.stderr, ended.stdout) == ("last resort\n", "configured .\n")


def test_records_from_elsewhere(sent, logger):
    """A record that was made by hand, as one from a socket, arrives: some of its fields are None."""
    record = logging.makeLogRecord(
        {"name": logger.name, "levelno": 20, "levelname": "INFO", "msg": "far", "exc_text": "E"}
    )
    record.thread = record.threadName = record.funcName = None
    logger.handle(record)

    assert sent.log.body == "far"
    assert rows(sent.log, "thread.id", "code.function.name", "exception.stacktrace") == {
        "thread.id": None,
        "code.function.name": "",
        "exception.stacktrace": "E",
    }


def test_many_values_are_bounded(sent, logger):
    """A record with thousands of fields keeps the first hundred and its exception."""
    logger.error("x", extra={f"k{n}": n for n in range(5_000)}, exc_info=ValueError())

    assert {"k0", "exception.type", "code.line.number"} <= set(sent.log.attributes)
    assert 100 < len(sent.log.attributes) < 128


def test_loggers_without_number_are_bounded(sent):
    """An application that names a logger for each request does not fill memory, and each is heard."""
    sender = Sender(sent.provider, None)

    wanted = [sender.wants(f"request.{number}") for number in range(3_000)]

    assert all(wanted)
    assert len(sender._loggers) <= 1_024


class Redacted(logging.LogRecord):
    """Leaves a secret out of its text."""

    def getMessage(self):  # noqa: N802 - stdlib's name
        """Return the text without it."""
        return super().getMessage().replace("hunter2", "***")


def redacted(*args, **kwargs):
    """Make a record that has such a method itself."""
    made = logging.LogRecord(*args, **kwargs)
    made.getMessage = lambda: logging.LogRecord.getMessage(made).replace("hunter2", "***")
    return made


@pytest.fixture
def factory():
    """Put the factory of records back."""
    before = logging.getLogRecordFactory()
    yield logging.setLogRecordFactory
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize("make", [Redacted, redacted])
@pytest.mark.parametrize(("message", "args"), [("password hunter2 for bob", ()), ("password hunter2 for %s", ("bob",))])
def test_a_records_own_text_is_sent(sent, logger, factory, make, message, args):
    """What an application's getMessage() leaves out is not sent: neither in the text nor as its template."""
    factory(make)
    logger.info(message, *args)

    assert sent.log.body == "password *** for bob"
    assert not any("hunter2" in str(value) for value in sent.log.attributes.values())
    assert set(sent.log.attributes) == {
        *("code.file.path", "code.function.name", "code.line.number", "thread.id", "thread.name"),
    }


def test_what_is_logged_of_our_own_work_is_not_printed(sent, logger, caplog):
    """While telemetry is sent only our own lines reach the application's handlers, from this thread."""
    with own_work:
        logger.warning("Starting new HTTP connection")
        logging.getLogger("spanglass").warning("refused")
    logger.warning("after")

    assert caplog.messages == ["refused", "after"]
    assert sent.bodies == ["after"]
