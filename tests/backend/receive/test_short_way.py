"""The short way of small requests over real sockets: which requests go it, and that nobody can tell by the answer."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
import weakref
from typing import TYPE_CHECKING

import pytest
import zstandard
from otlp_samples import REQUESTS, span_request
from receivers import serving_http, until

from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive import http, short_way
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.self_metrics.registry import HTTP_RESPONSES, Telemetry
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

WIRE = span_request(3).SerializeToString()
LARGE = span_request(1200).SerializeToString()
FOLDED = WIRE * (-(-(256 << 10) // len(WIRE)) + 1)  # small enough as it is sent, and not as it is taken
METRICS = REQUESTS[Signal.METRICS](resource_metrics=[{"scope_metrics": [{"metrics": [{"name": "size"}]}]}])
TYPE = "Content-Type: application/x-protobuf\r\n"


def post(body: bytes = WIRE, headers: str = TYPE, path: str = "/v1/traces") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def answer(connection: socket.socket) -> tuple[bytes, list[bytes]]:
    """Read one answer: the line of its status, and its other lines, sorted and without the date; it has no body."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += connection.recv(1)
    status, *lines = data.lower().split(b"\r\n")
    return status, sorted(line for line in lines if line and not line.startswith(b"date:"))


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def port(ingest, counters, telemetry) -> Iterator[int]:
    with serving_http(Intake(ingest, counters=counters, intervals=lambda: "10"), telemetry=telemetry) as port:
        yield port


@pytest.fixture
def connection(port) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


@pytest.mark.parametrize(
    ("body", "headers", "is_short"),
    [
        pytest.param(WIRE, TYPE, True, id="usual"),
        pytest.param(gzip.compress(WIRE), f"{TYPE}Content-Encoding: gzip\r\n", True, id="gzip"),
        pytest.param(zstandard.compress(WIRE), f"{TYPE}Content-Encoding: zstd\r\n", True, id="zstd"),
        pytest.param(zstandard.compress(FOLDED), f"{TYPE}Content-Encoding: zstd\r\n", False, id="folded-zstd"),
        pytest.param(gzip.compress(FOLDED), f"{TYPE}Content-Encoding: gzip\r\n", False, id="folded-gzip"),
        pytest.param(zstandard.compress(WIRE) * 2, f"{TYPE}Content-Encoding: zstd\r\n", False, id="two-frames"),
        pytest.param(b"", TYPE, False, id="empty"),
        pytest.param(LARGE, TYPE, False, id="large"),
        pytest.param(gzip.compress(LARGE, 0), f"{TYPE}Content-Encoding: gzip\r\n", False, id="large-gzip"),
        pytest.param(WIRE, f"{TYPE}Expect: 100-continue\r\n", False, id="expects"),
        pytest.param(WIRE, f"{TYPE}Origin: https://shop.example\r\n", False, id="of-a-page"),
    ],
)
def test_usual_small_requests_go_the_short_way(connection, ingest, body, headers, is_short):
    """They are told by their heads; whichever way one goes, it is taken, and the connection stays open."""
    connection.sendall(post(body, headers) * 2)

    for _ in range(2):
        status, lines = answer(connection)
        if status.startswith(b"http/1.1 100"):
            status, lines = answer(connection)
        assert status == b"http/1.1 200 ok"
        assert b"content-length: 0" in lines
        assert b"content-type: application/x-protobuf" in lines
    assert (ingest.offered, ingest.entered) == ((2, 0) if is_short else (0, 2))


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/traces", WIRE), ("/v1/metrics/", METRICS.SerializeToString())], ids=["spans", "metrics"]
)
def test_both_ways_answer_alike(connection, ingest, counters, telemetry, path, body):
    """The same request is answered and counted alike on both ways, what senders of metrics are told included."""
    answers = []
    for headers in (TYPE, f"{TYPE}Expect: 100-continue\r\n"):
        connection.sendall(post(body, headers, path))
        answers.append(answer(connection))
    assert answers.pop(1)[0].startswith(b"http/1.1 100")
    answers.append(answer(connection))

    assert answers[0] == answers[1]
    assert (b"spanglass-collection-intervals: 10" in answers[0][1]) == (path != "/v1/traces")
    assert (ingest.offered, ingest.entered) == (1, 1)
    assert len(counters.events) == 2
    assert len(set(counters.events)) == 1
    counted = {snapshot.metric: snapshot.values for snapshot in telemetry.snapshot()}[HTTP_RESPONSES]
    assert counted == {("POST", "200"): 1}  # the other one is counted around the whole application


def test_a_body_may_come_after_its_head(connection, ingest):
    """What is missing is waited for; where that takes long, the way through ASGI waits, and the request is taken."""
    whole = post()
    connection.sendall(whole[:-50])
    connection.sendall(whole[-50:])
    assert answer(connection)[0] == b"http/1.1 200 ok"

    connection.sendall(whole[:-50])
    until(lambda: len(ingest.admitted) == 2)  # that way asks before it reads
    connection.sendall(whole[-50:])
    assert answer(connection)[0] == b"http/1.1 200 ok"


def test_one_who_leaves_is_not_answered(port, ingest, counters):
    """A request is stored though its sender left meanwhile, and one that was not whole is noted as refused."""
    ingest.hold = threading.Event()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(post())
        until(lambda: ingest.offered)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(post()[:-50])
    until(lambda: counters.events == [("refused", Signal.SPANS, "http", "disconnected")])
    ingest.hold.set()
    until(lambda: ("received", Signal.SPANS, "http", "protobuf", len(WIRE)) in counters.events)


def test_what_ingest_has_to_say_is_told(connection, ingest):
    """An answer that is more than a success is the one of the way through ASGI, and the next request goes on."""
    ingest.answer = Accepted(1, 2, "2 rejected: no trace id")
    connection.sendall(post())

    assert b"content-length: 29" in answer(connection)[1]
    assert connection.recv(29).endswith(b"2 rejected: no trace id")

    ingest.answer = Accepted(1)
    connection.sendall(post())
    assert b"content-length: 0" in answer(connection)[1]
    assert ingest.offered == 2


def test_patience_begins_with_a_request_of_a_pipeline(connection, ingest):
    """A request that waited for the one before it, and whose rest does not come, goes on to where time is limited."""
    ingest.hold = threading.Event()
    connection.sendall(post() + post()[:-50])
    until(lambda: ingest.offered)
    ingest.hold.set()

    assert answer(connection)[0] == b"http/1.1 200 ok"
    until(lambda: len(ingest.admitted) == 2)  # that way asks before it reads
    connection.sendall(post()[-50:])
    assert answer(connection)[0] == b"http/1.1 200 ok"


def test_a_stopping_server_does_not_wait_for_the_rest_of_a_body(ingest, counters, monkeypatch):
    """Its sender is told to send the request again."""
    begun = threading.Event()
    is_plain = http.OtlpEndpoint.is_plain

    def noted(endpoint, head):
        begun.set()
        return is_plain(endpoint, head)

    monkeypatch.setattr(http.OtlpEndpoint, "is_plain", noted)
    monkeypatch.setattr(short_way, "_PATIENCE_S", 3600)
    with (
        serving_http(Intake(ingest, counters=counters)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        connection.sendall(post()[: -len(WIRE)])
        assert begun.wait(20)
        stopping = connection.dup()
    with stopping:
        told = b"".join(iter(lambda: stopping.recv(4096), b""))

    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in told
    assert b"the server is stopping" in told
    assert counters.events == [("refused", Signal.SPANS, "http", "unavailable")]


def test_garbage_behind_a_request_takes_no_answer_from_it(connection, ingest):
    """What was taken is answered as such, and the connection ends behind it."""
    ingest.hold = threading.Event()
    connection.sendall(post() + b"garbage\r\n\r\n")
    until(lambda: ingest.offered)
    ingest.hold.set()

    status, lines = answer(connection)
    assert status == b"http/1.1 200 ok"
    assert b"connection: close" in lines
    assert connection.recv(1) == b""


OTHER = span_request(40).SerializeToString()


@pytest.fixture
def parsed(monkeypatch) -> list[short_way.ShortWay]:
    """The connection of each request that the parser began to read, of connections that are made later."""
    begun: list[short_way.ShortWay] = []
    on_message_begin = short_way.ShortWay.on_message_begin

    def noted(protocol):
        begun.append(protocol)
        on_message_begin(protocol)

    monkeypatch.setattr(short_way.ShortWay, "on_message_begin", noted)
    return begun


def test_a_head_that_is_repeated_is_parsed_once(parsed, connection, ingest, counters, telemetry):
    """Requests behind it differ in their bodies alone, and are stored, counted and answered as the first."""
    bodies = [WIRE, OTHER, WIRE, OTHER]
    answers = []
    for body in bodies:
        connection.sendall(post(body))
        answers.append(answer(connection))

    assert len(parsed) == 1
    assert answers == [answers[0]] * 4
    assert answers[0][0] == b"http/1.1 200 ok"
    assert [message.SerializeToString() for _, message in ingest.requests] == bodies
    assert [event[-1] for event in counters.events] == [len(body) for body in bodies]
    assert {s.metric: s.values for s in telemetry.snapshot()}[HTTP_RESPONSES] == {("POST", "200"): 4}


@pytest.fixture
def received(monkeypatch) -> list[int]:
    """Sizes of what came, once it was dealt with; like ``parsed`` for connections that are made later."""
    sizes: list[int] = []
    data_received = short_way.ShortWay.data_received

    def noted(protocol, data):
        data_received(protocol, data)
        sizes.append(len(data))

    monkeypatch.setattr(short_way.ShortWay, "data_received", noted)
    return sizes


def test_a_repeated_head_may_come_before_its_body(parsed, received, connection, ingest, monkeypatch):
    """As it does from Python's own client: what is there is kept for the rest, from the first request on."""
    monkeypatch.setattr(short_way, "_PATIENCE_S", 3600)
    sent = 0
    for body in (WIRE, OTHER, WIRE):
        for piece in (post(body)[: -len(body)], body[:-5], body[-5:]):
            sent += len(piece)
            connection.sendall(piece)
            until(lambda sent=sent: sum(received) == sent)
        assert answer(connection)[0] == b"http/1.1 200 ok"

    assert len(parsed) == 1
    assert [message.SerializeToString() for _, message in ingest.requests] == [WIRE, OTHER, WIRE]


@pytest.mark.parametrize("ending", ["late", "leaves", "pipelined"])
def test_what_is_begun_with_a_repeated_head_is_parsed_where_it_goes_on_otherwise(connection, ingest, counters, ending):
    """Whatever happens to the rest of it, it is as if the parser had read it from its first byte on."""
    connection.sendall(post())
    answer(connection)
    connection.sendall(post(OTHER)[:-50])
    if ending == "leaves":
        connection.close()
        until(lambda: counters.events[1:] == [("refused", Signal.SPANS, "http", "disconnected")])
        return
    if ending == "late":
        until(lambda: len(ingest.admitted) == 2)  # the way through ASGI asks before it reads
    connection.sendall(post(OTHER)[-50:] + (post(LARGE) if ending == "pipelined" else b""))
    sizes = [len(WIRE), len(OTHER)]
    if ending == "pipelined":
        sizes.append(len(LARGE))
        assert answer(connection)[0] == b"http/1.1 200 ok"
    assert answer(connection)[0] == b"http/1.1 200 ok"
    assert [len(message.SerializeToString()) for _, message in ingest.requests] == sizes


@pytest.mark.parametrize(
    ("next_one", "is_parsed"),
    [
        pytest.param(post(OTHER), False, id="other-length"),
        pytest.param(post(OTHER, f"{TYPE}X-Trace: 1\r\n"), True, id="other-header"),
        pytest.param(post(METRICS.SerializeToString(), path="/v1/metrics"), True, id="other-path"),
        pytest.param(post(LARGE), True, id="large"),
        pytest.param(post(b""), True, id="empty"),
    ],
)
def test_what_is_no_repetition_is_parsed(parsed, connection, next_one, is_parsed):
    """A known head of another request tells nothing about this one; what comes behind is taken whichever it was."""
    connection.sendall(post())
    first = answer(connection)
    connection.sendall(next_one)
    assert answer(connection)[0] == first[0]
    assert len(parsed) == 1 + is_parsed

    connection.sendall(post())
    assert answer(connection)[0] == first[0]


def test_what_comes_before_an_answer_waits_for_it(parsed, connection, ingest):
    """A sender may send on: answers come in the order of its requests."""
    connection.sendall(post())
    answer(connection)
    ingest.hold = threading.Event()
    connection.sendall(post(OTHER))
    until(lambda: ingest.offered == 2)
    assert len(parsed) == 1
    connection.sendall(post() + post(LARGE))
    until(lambda: len(parsed) > 1)
    ingest.hold.set()

    assert [answer(connection)[0] for _ in range(3)] == [b"http/1.1 200 ok"] * 3
    sizes = [len(message.SerializeToString()) for _, message in ingest.requests]
    assert sizes == [len(WIRE), len(OTHER), len(WIRE), len(LARGE)]


@pytest.mark.parametrize("is_repeated", [False, True])
def test_an_answer_that_is_no_success_is_the_same_for_a_repeated_head(connection, ingest, counters, is_repeated):
    """It needs what the parser makes of a request, which reads it then."""
    if is_repeated:
        connection.sendall(post())
        answer(connection)
        counters.events.clear()
    ingest.answer = IngestError(Refusal.MALFORMED, "odd")
    connection.sendall(post())
    status, lines = answer(connection)
    length = next(int(line.partition(b": ")[2]) for line in lines if line.startswith(b"content-length"))
    assert (status, b"odd" in connection.recv(length)) == (b"http/1.1 400 bad request", True)
    assert [event[0] for event in counters.events] == ["refused"]

    ingest.answer = Accepted(1)
    connection.sendall(post())
    assert answer(connection)[0] == b"http/1.1 200 ok"


@pytest.mark.parametrize("is_repeated", [False, True])
@pytest.mark.parametrize("refused_by", ["ingest", "admission"])
def test_a_connection_keeps_no_body_that_was_refused(parsed, connection, ingest, is_repeated, refused_by):
    """It may be open for long, as may thousands beside it, and what they hold is in no budget."""
    if is_repeated:
        connection.sendall(post())
        answer(connection)
    if refused_by == "ingest":
        ingest.answer = IngestError(Refusal.MALFORMED, "odd")
    else:
        ingest.full = "too much"
    connection.sendall(post(OTHER))
    assert answer(connection)[0].split()[1] in {b"400", b"429"}
    assert parsed[-1].cycle.body == b""


def test_a_connection_keeps_no_body_that_was_taken(parsed, connection, ingest):
    """The beginning of a next request has the parser read the one before, which ingest has already."""
    connection.sendall(post())
    answer(connection)
    ingest.hold = threading.Event()
    connection.sendall(post(OTHER))
    until(lambda: ingest.offered == 2)
    connection.sendall(post()[:4])
    until(lambda: len(parsed) > 2)
    ingest.hold.set()

    assert answer(connection)[0] == b"http/1.1 200 ok"
    assert parsed[-1].cycle.body == b""
    connection.sendall(post()[4:])
    assert answer(connection)[0] == b"http/1.1 200 ok"
    assert [len(message.SerializeToString()) for _, message in ingest.requests] == [len(WIRE), len(OTHER), len(WIRE)]


def test_one_who_leaves_with_a_repeated_head_is_not_answered(port, ingest, counters):
    """What was taken is stored and counted as if it had been parsed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(post())
        answer(connection)
        ingest.hold = threading.Event()
        connection.sendall(post(OTHER))
        until(lambda: ingest.offered == 2)
    ingest.hold.set()
    until(lambda: counters.events[1:] == [("received", Signal.SPANS, "http", "protobuf", len(OTHER))])


def test_a_stopping_server_answers_a_repeated_head(ingest, monkeypatch):
    """What was taken is waited for, and the connection ends behind its answer."""
    shutdown = short_way.ShortWay.shutdown

    def stopping(protocol):
        shutdown(protocol)
        ingest.hold.set()

    monkeypatch.setattr(short_way.ShortWay, "shutdown", stopping)
    with (
        serving_http(Intake(ingest)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        connection.sendall(post())
        answer(connection)
        ingest.hold = threading.Event()
        connection.sendall(post(OTHER))
        until(lambda: ingest.offered == 2)
        still = connection.dup()
    with still:
        status, lines = answer(still)
        assert (status, b"connection: close" in lines) == (b"http/1.1 200 ok", True)


ZSTD = zstandard.compress(WIRE)
BOMB = zstandard.compress(bytes(1 << 20))


@pytest.mark.parametrize("expects", ["", "Expect: 100-continue\r\n"], ids=["short", "long"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [(ZSTD[:-3], "malformed"), (BOMB, "too_large"), (ZSTD, "overloaded"), (ZSTD, "unavailable")],
    ids=["damaged", "bomb", "full", "stopping"],
)
def test_what_was_refused_is_let_go(ingest, counters, monkeypatch, expects, body, reason):
    """Nothing of it waits for the collector of cycles, which counts objects and not what they hold."""
    made: list[weakref.ref[object]] = []

    def remembering(make):
        def remember(*given):
            thing = make(*given)
            made.append(weakref.ref(thing))
            return thing

        return remember

    for name in ("new_body", "Upload"):
        monkeypatch.setattr(http, name, remembering(getattr(http, name)))
    monkeypatch.setattr(ingest, "admit", remembering(ingest.admit))
    if reason == "overloaded":
        ingest.failure = IngestError(Refusal.OVERLOADED, "too much")
    if reason == "unavailable":
        ingest.health = "the server is stopping"
    intake = Intake(ingest, ReceiveLimits(max_body_bytes=512 << 10), counters=counters)
    with serving_http(intake) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        gc.disable()
        try:
            connection.sendall(post(body, f"{TYPE}Content-Encoding: zstd\r\n{expects}"))
            until(lambda: counters.events == [("refused", Signal.SPANS, "http", reason)])
            until(lambda: all(thing() is None for thing in made))
        finally:
            gc.enable()
    assert made
