import datetime as dt
import io
import json
import logging
import subprocess
import sys
import threading

import pytest
from loguru import logger
from loguru._handler import Handler
from opentelemetry._logs import SeverityNumber


@pytest.fixture
def output():
    """Have one handler of loguru, with the default level, whose text is given."""
    stream = io.StringIO()
    logger.remove()
    logger.add(stream, format="{message}|{extra[trace_id]}", level="DEBUG")
    yield stream
    logger.remove()
    logger.configure(patcher=lambda _: None, extra={})


class Forward(logging.Handler):
    """loguru's own recipe: its records into stdlib logging."""

    def emit(self, record):
        """Pass it on."""
        logging.getLogger(record.name).handle(record)


class Intercept(logging.Handler):
    """loguru's own recipe: stdlib's records into loguru."""

    def emit(self, record):
        """Pass it on."""
        logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())


def test_a_record_is_told_whole(sent, output):
    """Text, bound values, severity, place, thread, time, module and trace arrive; the output may name the trace."""
    with sent.tracer.start_as_current_span("s") as span:
        logger.bind(order=7).warning("paid {}", "tea")

    record = sent.log
    assert sent.scope == __name__
    assert (record.body, record.severity_number, record.severity_text) == ("paid tea", SeverityNumber.WARN, "WARN")
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert abs(record.observed_timestamp - record.timestamp) < 60 * 10**9
    assert dict(record.attributes) == {
        "order": 7,
        "code.file.path": __file__,
        "code.function.name": f"{__name__}.test_a_record_is_told_whole",
        "code.line.number": test_a_record_is_told_whole.__code__.co_firstlineno + 3,
        "thread.id": threading.get_ident(),
        "thread.name": "MainThread",
    }
    assert output.getvalue() == f"paid tea|{span.context.trace_id:032x}\n"


def test_each_record_is_sent_once_however_many_handlers(sent, output):
    """Handlers may come and go; a record goes out if one of them takes its level."""
    more = logger.add(io.StringIO(), level="ERROR")
    logger.error("both")
    logger.remove(more)
    logger.success("one")
    logger.trace("none")
    logger.remove()
    logger.error("nobody listens")

    assert sent.bodies == ["both", "one"]
    assert [record.severity_text for record in sent.logs] == ["ERROR", "SUCCESS"]
    assert output.getvalue() == "both|\none|\n"


@pytest.mark.usefixtures("output")
def test_an_exception_is_told_in_full(sent):
    """logger.exception carries the whole structure."""
    try:
        {}["missing"]
    except KeyError:
        logger.exception("it failed")

    assert sent.log.attributes["exception.type"] == "KeyError"
    assert "spanglass.exception.chain" in sent.log.attributes


@pytest.mark.usefixtures("output")
def test_records_that_go_on_to_stdlib_are_sent_once(sent):
    """With loguru's recipe that forwards to logging, in either order of its handlers."""
    logger.add(Forward(), format="{message}")
    logger.info("x")

    assert sent.bodies == ["x"]


@pytest.mark.usefixtures("output")
def test_records_that_come_from_stdlib_are_sent_once(sent):
    """With loguru's recipe that takes over logging."""
    source = logging.getLogger("shop.intercepted")
    source.setLevel(logging.INFO)
    source.addHandler(handler := Intercept())
    source.warning("from %s", "stdlib")
    source.removeHandler(handler)

    assert sent.bodies == ["from stdlib"]
    assert sent.scope == "shop.intercepted"


@pytest.mark.usefixtures("output")
def test_the_setting_of_the_level_counts(make_sent):
    """A record below logger_level is not sent."""
    sent = make_sent(logger_level="error")
    logger.warning("no")
    logger.error("yes")

    assert sent.bodies == ["yes"]


def test_the_time_is_the_records_own(sent, output):
    """To the microsecond, in whatever zone the record was made."""
    zone = dt.timezone(dt.timedelta(hours=5))
    stamp = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=zone)
    logger.patch(lambda record: record.update(time=stamp)).info("x")

    assert sent.log.timestamp == 1767305045678901000
    assert output.getvalue() == "x|\n"


def test_everything_is_taken_back(sent, output):
    """After the uninstall loguru is as it was."""
    sent.uninstall()
    logger.bind(trace_id="mine").info("x")

    assert Handler.emit.__module__ == "loguru._handler"
    assert sent.logs == []
    assert output.getvalue() == "x|mine\n"


def test_a_failure_of_ours_is_not_the_applications(sent, output, monkeypatch):
    """If sending fails the record is written all the same."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(sent.capture, "log_attributes", lambda _: 1 / 0)
    logger.opt(exception=ValueError()).bind(trace_id="").info("x")

    assert output.getvalue().startswith("x|")


def test_loguru_is_found_when_it_is_imported_later():
    """An application that never imports it does not get it imported; one that does has its records sent."""
    code = """
import sys
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor
from spanglass.logs.install import install_logging
from spanglass.settings.table import Settings
provider = LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(
    ConsoleLogRecordExporter(formatter=lambda r: f"sent {r.log_record.body}\\n")))
install_logging(Settings(), logger_provider=provider, capture=None)
print({"loguru", "structlog"} & set(sys.modules))
from loguru import logger
import structlog
logger.info("x")
structlog.get_logger().info("y")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=180)

    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.startswith("sent")] == ["sent x", "sent y"]
    assert lines[0] == "set()"


@pytest.mark.usefixtures("sent")
def test_nothing_new_is_printed():
    """`{extra}` and JSON hold what the application put in, and `{extra[trace_id]}` is found all the same."""
    stream = io.StringIO()
    logger.remove()
    logger.add(stream, format="{extra} {extra[span_id]}{message}")
    logger.add(stream, serialize=True)
    logger.bind(order=7).info("x")
    logger.bind(span_id="mine").info("y")
    logger.remove()

    first, written, second, _ = stream.getvalue().splitlines()
    assert (first, second) == ("{'order': 7} x", "{'span_id': 'mine'} miney")
    assert json.loads(written)["record"]["extra"] == {"order": 7}


@pytest.mark.usefixtures("output")
def test_two_that_send_get_each_record_once(make_sent):
    """A test kit inside of which an application is configured: each has the records of both libraries, once."""
    first, second = make_sent(), make_sent()
    logger.warning("loguru")
    logging.getLogger("shop").warning("stdlib")
    logging.getLogger("shop").warning("again")
    logger.warning("loguru")
    second.uninstall()
    first.uninstall()

    assert first.bodies == second.bodies == ["loguru", "stdlib", "again", "loguru"]
