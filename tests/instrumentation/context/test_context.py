"""User, session and other attributes of everything that follows."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import baggage
from opentelemetry._logs import LogRecord
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanglass.context import (
    ContextAttributesLogProcessor,
    ContextAttributesProcessor,
    bind,
    set_session,
    set_user,
)
from spanglass.settings.settings import load


@pytest.fixture(autouse=True)
def fresh():
    """An empty context, and afterwards the one before."""
    token = attach(Context())
    yield
    detach(token)


class Service:
    """A service whose spans and log records get the context's attributes."""

    def __init__(self, *allowed):
        settings = load({"baggage_attributes": allowed} if allowed else {}, {})
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(ContextAttributesProcessor(settings))
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        loggers.add_log_record_processor(ContextAttributesLogProcessor(settings))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.tracer, self.logger = tracers.get_tracer("test"), loggers.get_logger("test")

    def work(self, context=None, **attributes):
        """Make a span and a log record, and give their attributes."""
        self.tracer.start_span("work", context, attributes=attributes).end()
        self.logger.emit(LogRecord(body="work", context=context, attributes=attributes or None))
        span, log = self.spans.get_finished_spans()[-1], self.logs.get_finished_logs()[-1]
        return dict(span.attributes), dict(log.log_record.attributes)


@pytest.fixture
def service():
    """A service with the default settings."""
    return Service()


def test_a_user_and_a_session_are_on_everything_that_follows(service):
    """On spans and log records alike, by the names of the conventions, until they are taken back."""
    user = set_user(42, email="ann@example.org", name="Ann", plan="pro")
    session = set_session("s1")
    expected = {
        "user.id": "42", "user.email": "ann@example.org", "user.name": "Ann", "user.plan": "pro", "session.id": "s1"
    }  # fmt: skip
    assert service.work() == (expected, expected)
    session.undo()
    del expected["session.id"]
    assert service.work() == (expected, expected)
    user.undo()
    user.undo()
    assert service.work() == ({}, {})


def test_a_block_ends_what_it_set(service):
    """Also when it ends with an exception, and whatever was set inside it."""

    def fail():
        with set_user("ann"), bind(tenant="acme", size=3):
            set_session("s1")
            assert service.work()[0] == {"user.id": "ann", "tenant": "acme", "size": 3, "session.id": "s1"}
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert service.work() == ({}, {})


def test_another_user_replaces_the_first_whole(service):
    """Nothing of the one before is left over; None is nobody."""
    set_user("ann", email="ann@example.org")
    set_user("bob")
    assert service.work()[0] == {"user.id": "bob"}
    set_session("s1")
    set_user(None)
    assert service.work()[0] == {"session.id": "s1"}
    set_session(None)
    assert service.work() == ({}, {})
    assert dict(baggage.get_all()) == {}


def test_the_current_span_gets_them_at_once(service):
    """The request's own span has begun before anyone knows the user."""
    with service.tracer.start_as_current_span("request"):
        set_user("ann", name="Ann")
    (span,) = service.spans.get_finished_spans()
    assert dict(span.attributes) == {"user.id": "ann", "user.name": "Ann"}


def test_what_a_span_says_itself_comes_first(service):
    """An attribute that was given to the span or record stays."""
    set_user("ann")
    assert service.work(**{"user.id": "bob"}) == ({"user.id": "bob"}, {"user.id": "bob"})


def test_only_what_is_propagated_reaches_other_services(service):
    """The id goes, address and name stay here, and so does what was bound; unless it is asked for, or forbidden."""
    headers: dict[str, str] = {}
    set_user("ann", email="ann@example.org")
    bind({"tenant.id": "acme"}, propagate=True)
    bind(plan="x")
    inject(headers)
    assert headers["baggage"] == "user.id=ann,tenant.id=acme"
    there = service.work(extract(headers, Context()))
    assert there == ({"user.id": "ann", "tenant.id": "acme"},) * 2
    headers.clear()
    set_user("bob", propagate=False)
    inject(headers)
    assert headers["baggage"] == "tenant.id=acme"


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ((), {"user.id": "ann"}),
        (("plan",), {"plan": "pro"}),
        (("*",), {"user.id": "ann", "plan": "pro", "other": "x"}),
    ],
)
def test_baggage_of_others_needs_to_be_allowed(allowed, expected):
    """A stranger's header adds no attributes but those that the settings name; * stands for all."""
    context = extract({"baggage": "user.id=ann,plan=pro,other=x"}, Context())
    assert Service(*allowed).work(context) == (expected, expected)


def test_a_strangers_baggage_is_bounded():
    """A header of many or long entries does not blow spans up."""
    header = ",".join([f"k{number}=v" for number in range(100)])
    span, _ = Service("*").work(extract({"baggage": header}, Context()))
    assert len(span) == 64
    span, _ = Service("*").work(extract({"baggage": "a=" + "x" * 1000}, Context()))
    assert span == {"a": "x" * 256}


def test_tasks_and_threads(service):
    """A task begins with what was set before it, and what it sets is its own; so with threads that copy the context."""

    async def request(user):
        set_user(user)
        await asyncio.sleep(0)
        return service.work()[0]

    async def main():
        bind(app="shop")
        return await asyncio.gather(request("ann"), request("bob"))

    assert asyncio.run(main()) == [{"app": "shop", "user.id": "ann"}, {"app": "shop", "user.id": "bob"}]
    with set_user("eve"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(contextvars.copy_context().run, service.work).result()[0] == {"user.id": "eve"}
        assert pool.submit(service.work).result()[0] == {}


def test_a_request_ends_what_was_set_in_it(service):
    """Instrumentations of web frameworks attach a context for each request; a thread's next request begins without."""
    for user in ("ann", None):
        token = attach(get_current())
        if user:
            set_user(user)
        found = service.work()[0]
        detach(token)
        assert found == ({"user.id": user} if user else {})


def test_taking_back_in_another_thread_does_nothing(service, caplog):
    """Frameworks may end a block elsewhere than they began it; nothing breaks, and nothing is logged."""
    bound = set_user("ann")
    other = threading.Thread(target=contextvars.copy_context().run, args=(bound.undo,))
    other.start()
    other.join()
    assert service.work()[0] == {"user.id": "ann"}
    assert caplog.records == []


def test_records_without_a_context_of_their_own(service):
    """A record that says it belongs to nothing gets nothing."""
    set_user("ann")
    service.logger.emit(LogRecord(body="x", context=baggage.set_baggage("a", "b", Context())))
    assert dict(service.logs.get_finished_logs()[-1].log_record.attributes) == {}
