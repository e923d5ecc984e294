"""Clients of brokers and search engines: pika with a broker in memory, Elasticsearch's with a server that knows one."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import elasticsearch
import pika
import pytest
from broker import running_broker
from opentelemetry import trace


@pytest.fixture(scope="module")
def told(instrument):
    """Turn the instrumentations on for this module."""
    return instrument("pika", "elasticsearch")


def test_a_message_has_one_span_on_either_side(told):
    """Publishing on a blocking channel is one span of a producer, and a callback one of a consumer, in its trace."""
    got = []
    with running_broker() as port:
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
        channel = connection.channel()
        channel.queue_declare("orders")
        channel.basic_publish("", "orders", b"one")
        channel.basic_consume(
            "orders", lambda channel, _method, _properties, body: (got.append(body), channel.stop_consuming())
        )
        channel.start_consuming()
        connection.close()

    sent, received = told.spans()
    assert got == [b"one"]
    assert (sent.name, sent.kind.name, received.kind.name) == ("orders send", "PRODUCER", "CONSUMER")
    assert received.parent.span_id == sent.context.span_id


class Engine(BaseHTTPRequestHandler):
    """Knows the document 1 and nothing else; the index ``broken`` fails."""

    def do_GET(self):
        """Answer as Elasticsearch does."""
        status = 500 if "broken" in self.path else 200 if self.path.endswith("/1") else 404
        body = json.dumps({"found": status == 200, "_source": {}}).encode()
        self.send_response(status)
        for name, value in {
            "X-Elastic-Product": "Elasticsearch",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def engine():
    """Serve until the module's tests are over; gives the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def provider(told, monkeypatch):
    """Have the spans that libraries make themselves recorded: the client has its tracer from the process."""
    module = elasticsearch._otel
    monkeypatch.setattr(module._tracer, "_real_tracer", told.tracers.get_tracer("elasticsearch-api"), raising=False)
    return trace


def calls_of(told):
    """Return name, kind, status and number of events of each call."""
    return [(span.name, span.kind.name, span.status.status_code.name, len(span.events)) for span in told.spans()]


@pytest.mark.usefixtures("provider")
def test_calls_of_elasticsearch(told, engine):
    """A call is of a client; a document that is not there is no error, and a server that fails is."""
    client = elasticsearch.Elasticsearch(engine, max_retries=0)
    client.get(index="orders", id="1")
    with pytest.raises(elasticsearch.NotFoundError):
        client.get(index="orders", id="2")
    assert not client.exists(index="orders", id="2")
    with pytest.raises(elasticsearch.ApiError):
        client.get(index="broken", id="1")
    client.close()

    assert calls_of(told) == [
        ("get", "CLIENT", "UNSET", 0),
        ("get", "CLIENT", "UNSET", 0),
        ("exists", "CLIENT", "UNSET", 0),
        ("get", "CLIENT", "ERROR", 1),
    ]


@pytest.mark.usefixtures("provider")
def test_a_server_that_is_not_there(told):
    """A call that reaches no server is an error, with its exception."""
    client = elasticsearch.Elasticsearch("http://127.0.0.1:1", max_retries=0)
    with pytest.raises(elasticsearch.ConnectionError):
        client.get(index="orders", id="1")
    client.close()
    assert calls_of(told) == [("get", "CLIENT", "ERROR", 1)]
