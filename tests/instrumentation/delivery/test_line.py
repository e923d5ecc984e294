"""What is logged about a server that does not take what it is sent."""

from __future__ import annotations

import socket
import threading

import pytest

from spanglass.delivery.signals import SIGNALS
from spanglass.delivery.transport.answers import Answer, Verdict
from spanglass.delivery.transport.http_sender import HttpSender
from spanglass.delivery.transport.line import Line
from spanglass.delivery.transport.targets import find_target
from spanglass.settings.settings import load


@pytest.fixture
def line():
    """Make a line to one server for all signals."""
    settings = load({"endpoint": "http://127.0.0.1:9"}, {})
    return Line({name: find_target(signal, settings, {}) for name, signal in SIGNALS.items()}, spooling=False)


def said(caplog):
    """Return what was logged."""
    return [record.getMessage() for record in caplog.records if record.name == "spanglass"]


@pytest.mark.parametrize("kind", ["401", "UNAUTHENTICATED"])
def test_a_wrong_token_is_said_once(line, caplog, kind):
    """One warning for all signals, however often they are refused: the mend is the same."""
    for signal in [*SIGNALS.values(), *SIGNALS.values()]:
        line.refused(signal, Answer(Verdict.REFUSED, "wrong token", kind))

    assert said(caplog) == ["telemetry is refused by 127.0.0.1:9 and dropped: wrong token"]


def test_what_is_refused_is_said_once_a_signal_with_its_own_address(line, caplog):
    """Each signal's address is named, for only one of them may be wrong."""
    for signal in [*SIGNALS.values(), *SIGNALS.values()]:
        line.refused(signal, Answer(Verdict.REFUSED, "404 Not Found", "404"))

    assert said(caplog) == [
        f"{signal.nouns} are refused by http://127.0.0.1:9/{signal.path} and dropped: 404 Not Found"
        for signal in SIGNALS.values()
    ]


def test_an_outage_names_the_address_of_the_signal(line, caplog):
    """Log records that can't be delivered are not said to go to the address of spans."""
    line.went_down(SIGNALS["logs"], Answer(Verdict.LATER, "connection refused", "ConnectionRefusedError"))

    assert said(caplog)[0].startswith(
        "log records can't be delivered to http://127.0.0.1:9/v1/logs: connection refused;"
    )


def test_a_port_of_grpc_is_recognised():
    """A server that answers in HTTP/2 gives a reason to read, not its bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            for _ in range(2):  # what broke at once is tried once more, and would wait in vain
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"\x00\x00\x18\x04\x00\x00\x00\x00\x00\x00\x04\x00@\x00\x00\r\n\r\n")
                    connection.recv(65_536)

        thread = threading.Thread(target=answer)
        thread.start()
        settings = load({"endpoint": f"http://127.0.0.1:{server.getsockname()[1]}"}, {})
        sender = HttpSender(find_target(SIGNALS["traces"], settings, {}), "test")
        got = sender.send(b"", 10)
        sender.close()
        thread.join()

    assert (got.verdict, got.reason) == (
        Verdict.LATER,
        "it does not speak HTTP/1.1; is it the port of OTLP/gRPC? That of OTLP/HTTP is usually 4318",
    )
