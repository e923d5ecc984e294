import asyncio
import datetime as dt
import io
import logging

import pytest
import structlog
from opentelemetry._logs import SeverityNumber
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def defaults():
    """Begin and end with structlog's defaults, writing nowhere."""
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(io.StringIO()))
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def fail():
    """Raise."""
    raise ValueError("broken")


def test_an_event_is_told_whole(sent):
    """Text, values, bound ones and those of the context, severity, place and trace arrive."""
    structlog.contextvars.bind_contextvars(tenant="acme")
    with sent.tracer.start_as_current_span("s") as span:
        structlog.get_logger().bind(order=7).warning("paid", item={"name": "tea"})

    record = sent.log
    assert sent.scope == __name__
    assert (record.body, record.severity_number, record.severity_text) == ("paid", SeverityNumber.WARN, "WARN")
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert dict(record.attributes) == {
        "order": 7,
        "tenant": "acme",
        "item": '{"name":"tea"}',
        "code.file.path": __file__,
        "code.function.name": f"{__name__}.test_an_event_is_told_whole",
        "code.line.number": test_an_event_is_told_whole.__code__.co_firstlineno + 4,
    }


def test_the_output_has_trace_ids(sent):
    """Inside of a span each event's keys have trace and span; outside, none."""
    stream = io.StringIO()
    structlog.configure(
        [structlog.processors.JSONRenderer(sort_keys=True)], None, None, structlog.PrintLoggerFactory(stream)
    )
    log = structlog.get_logger()
    log.info("outside")
    with sent.tracer.start_as_current_span("s") as span:
        log.info("inside")

    context = span.get_span_context()
    assert stream.getvalue().splitlines() == [
        '{"event": "outside"}',
        f'{{"event": "inside", "span_id": "{context.span_id:016x}", "trace_id": "{context.trace_id:032x}"}}',
    ]
    assert [set(record.attributes) & {"trace_id", "span_id"} for record in sent.logs] == [set(), set()]


def test_an_exception_is_told_in_full(sent):
    """Also where a processor before ours made text of it."""
    structlog.configure([structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    log = structlog.get_logger()
    try:
        fail()
    except ValueError as error:
        log.exception("it failed")
        log.error("again", exc_info=error)  # noqa: TRY400 - structlog's own way to carry one
    log.error("outside", exc_info=KeyError("k"))

    first, second, outside = sent.logs
    assert first.attributes["exception.message"] == "broken"
    assert "spanglass.exception.chain" in first.attributes
    assert second.attributes["spanglass.exception.occurrence_id"] == "id1"
    assert outside.attributes["exception.stacktrace"].endswith("KeyError: 'k'")


def stdlib_logger(name, level=logging.INFO):
    """Have structlog write through stdlib logging, and give the stdlib logger with what it writes."""
    target = logging.getLogger(name)
    target.setLevel(level)
    structlog.configure(
        [structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, structlog.processors.JSONRenderer()],
        structlog.stdlib.BoundLogger,
        None,
        structlog.stdlib.LoggerFactory(),
    )
    return target


def test_events_that_go_on_to_stdlib_are_sent_once(sent, caplog):
    """The structured event is sent, the text that stdlib gets is not; what stdlib logs itself is."""
    target = stdlib_logger("shop.orders")
    structlog.get_logger("shop.orders").info("paid", order=7)
    target.info("its own")

    assert sent.bodies == ["paid", "its own"]
    assert sent.logs[0].attributes["order"] == 7
    assert caplog.messages == ['{"order": 7, "event": "paid", "logger": "shop.orders", "level": "info"}', "its own"]


def test_levels_of_stdlib_count(sent):
    """An event that the stdlib logger would not take is not sent, and swallows nothing that comes after it."""
    target = stdlib_logger("shop.quiet", logging.ERROR)
    structlog.get_logger("shop.quiet").info("no")
    target.error("yes")

    assert sent.bodies == ["yes"]


def test_the_setting_of_the_level_counts(make_sent):
    """An event below logger_level is not sent, nor its text when it comes to stdlib."""
    sent = make_sent(logger_level="error")
    stdlib_logger("shop.levels")
    structlog.get_logger("shop.levels").info("no")
    structlog.get_logger("shop.levels").error("yes")

    assert sent.bodies == ["yes"]


def test_loggers_that_were_made_before_are_heard(make_sent):
    """Also those that structlog keeps because of cache_logger_on_first_use."""
    structlog.configure([structlog.processors.JSONRenderer()], cache_logger_on_first_use=True)
    log = structlog.get_logger()
    log.info("before")
    sent = make_sent()
    log.info("after")

    assert sent.bodies == ["after"]


@pytest.mark.usefixtures("sent")
def test_structlogs_own_test_helper_works():
    """capture_logs swaps processors, and finds events as ever."""
    with capture_logs() as events:
        structlog.get_logger().info("x", a=1)

    assert events == [{"a": 1, "event": "x", "log_level": "info"}]


def test_processors_that_are_no_list(sent):
    """A tuple of processors gets ours too, and stays usable."""
    structlog.configure((structlog.processors.JSONRenderer(),))
    structlog.get_logger().info("x")

    assert sent.bodies == ["x"]


def test_configure_once_counts_as_the_applications(sent):
    """Our own part in it does not make structlog configured."""
    structlog.reset_defaults()
    before = structlog.is_configured()
    structlog.configure_once([structlog.processors.JSONRenderer()])
    structlog.get_logger().info("x")

    assert not before
    assert sent.bodies == ["x"]


def test_asynchronous_loggers_say_where_they_were_called(sent):
    """`await logger.ainfo` runs in a thread; the place is the one that awaits."""

    async def work():
        with sent.tracer.start_as_current_span("s") as span:
            await structlog.get_logger().ainfo("x")
        return span.get_span_context()

    context = asyncio.run(work())

    assert sent.log.attributes["code.function.name"].endswith(".work")
    assert sent.log.span_id == context.span_id


@pytest.mark.parametrize(
    ("stamp", "time_ns"),
    [
        (5.5, 5_500_000_000),
        ("2026-01-02T03:04:05.678901Z", 1767323045678901000),
        ("2026-01-02 03:04:05", None),
        ("yesterday", None),
        (dt.timedelta(1), None),
    ],
)
def test_times_that_structlog_wrote(sent, stamp, time_ns):
    """A time that says when it was is the record's; of any other, the present is."""
    structlog.configure([structlog.processors.JSONRenderer(default=str)])
    structlog.get_logger().info("x", timestamp=stamp)

    found = sent.log.timestamp
    assert found == time_ns if time_ns else abs(found - sent.log.observed_timestamp) < 60 * 10**9


def test_everything_is_taken_back(sent):
    """After the uninstall structlog is as it was, and a logger kept from before sends nothing."""
    log = structlog.get_logger().bind()
    sent.uninstall()
    log.info("x")

    assert structlog.configure.__module__ == "structlog._config"
    assert not [each for each in structlog.get_config()["processors"] if type(each).__module__.startswith("spanglass")]
    assert sent.logs == []


def rename(_, __, event):
    """Rename the text, as applications do by themselves."""
    event["message"] = event.pop("event")
    return event


@pytest.mark.parametrize(
    ("processor", "attributes"),
    [
        (structlog.processors.EventRenamer("msg"), {"kind": "sale"}),
        (structlog.processors.EventRenamer("msg", replace_by="kind"), {"event": "sale"}),
        (rename, {"kind": "sale"}),
    ],
)
def test_a_renamed_event_is_the_text(sent, processor, attributes):
    """Structlog's EventRenamer, and a processor of the application's that does the same, leave the body as it is."""
    structlog.configure([processor, structlog.processors.JSONRenderer()])
    structlog.get_logger().info("paid", kind="sale")

    assert sent.log.body == "paid"
    assert {key: value for key, value in sent.log.attributes.items() if not key.startswith("code.")} == attributes
