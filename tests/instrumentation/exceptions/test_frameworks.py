import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from flask import Flask, abort
from opentelemetry._logs import SeverityNumber
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.trace import StatusCode

from spanglass.logs.install import install_logging

CHAIN, ID, HANDLED = (f"spanglass.exception.{name}" for name in ("chain", "occurrence_id", "handled"))


@pytest.fixture
def sent_all(sent):
    """Exceptions and stdlib logs, as an application has both."""
    uninstall = install_logging(sent.settings, logger_provider=sent.logger_provider, capture=sent.capture)
    yield sent
    uninstall()


def fail():
    """Raise."""
    raise ValueError("broken")


def refuse():
    """Answer that there is nothing."""
    raise HTTPException(404)


@pytest.fixture
def fastapi(sent_all):
    """An instrumented application whose server answers exceptions with 500."""
    app = FastAPI()
    app.get("/fail")(fail)
    app.get("/missing")(refuse)
    FastAPIInstrumentor.instrument_app(app, tracer_provider=sent_all.provider, exclude_spans=["send", "receive"])

    async def get(path):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.get(path)

    return lambda path: asyncio.run(get(path))


@pytest.fixture
def flask(sent_all):
    """An instrumented application."""
    app = Flask(__name__)
    app.get("/fail")(fail)
    app.get("/missing")(lambda: abort(404))
    FlaskInstrumentor().instrument_app(app, tracer_provider=sent_all.provider)
    yield app.test_client().get
    FlaskInstrumentor().uninstrument_app(app)


def full(sent):
    """Return the log records that tell an exception in full."""
    return [record for record in sent.logs if CHAIN in record.attributes]


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_failing_route_is_one_occurrence(sent_all, framework, request):
    """Its span, the framework's log line and our record speak of one occurrence, told in full once a signal."""
    answer = request.getfixturevalue(framework)("/fail")

    assert answer.status_code == 500
    (span,) = sent_all.spans.values()
    (event,) = [event.attributes for event in span.events if event.name == "exception"]
    (record,) = full(sent_all)
    assert (event["exception.type"], event[ID]) == ("ValueError", "id1")
    assert CHAIN in event
    assert {each.attributes[ID] for each in sent_all.logs if "exception.type" in each.attributes} == {"id1"}
    assert record.trace_id == span.context.trace_id
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_refused_request_is_no_error(sent_all, framework, request):
    """A 404 that a framework makes of an exception is told nowhere."""
    answer = request.getfixturevalue(framework)("/missing")

    assert answer.status_code == 404
    assert [event for span in sent_all.spans.values() for event in span.events] == []
    assert [record for record in sent_all.logs if record.severity_number.value >= SeverityNumber.ERROR.value] == []
