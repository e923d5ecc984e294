"""Heads that are repeated: a request is only told by one if the parser would have read the same."""

from __future__ import annotations

import random

import httptools
import pytest

from spanglass_server.receive.asgi import Head, head_of
from spanglass_server.receive.repeated_head import RepeatedHead

HEADER = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\ncontent-Length:\t%d\r\nX-Note: Content-Length: 5\r\nB: c\r\n\r\n"
BODY = b"body with\r\nContent-Length: 9\r\n\r\nin it"
#: What is put into a request.
ODD = (
    *(b"\r\n", b"\n", b"\0", b"0", b"1", b" ", b":", b"+", b"_"),
    b"Content-Length: 7\r\n",
    b"Transfer-Encoding: chunked\r\n",
)


class Reader:
    """What a parser reads."""

    def __init__(self, data: bytes) -> None:
        self.url = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = 0
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method()

    def on_url(self, url: bytes) -> None:
        """Called by the parser."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self.body += body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.complete += 1

    def without_length(self) -> tuple[object, ...]:
        """What is the same in repeated heads."""
        return self.method, self.url, [header for header in self.headers if header[0] != b"content-length"]


def request(body: bytes = BODY) -> bytes:
    return HEADER % len(body) + body


def head() -> Head:
    return head_of(Reader(request()).headers)


def changed(data: bytes, chance: random.Random) -> bytes:
    """Bytes left out, put in, doubled or cut off at one or two places, mostly near the digits and the ends."""
    for _ in range(chance.choice((1, 1, 2))):
        place = chance.choice((data.find(b"\t") + chance.randrange(-2, 8), chance.randrange(len(data) + 1), len(data)))
        data = chance.choice(
            (
                data[:place] + chance.choice(ODD) + data[place:],
                data[:place] + data[place + 1 :],
                data[:place] + data[place : place + 1] * 2 + data[place + 1 :],
                data[:place],
                data[:place] + chance.randbytes(1) + data[place + 1 :],
            )
        )
    return data


def test_whatever_is_told_by_a_known_head_the_parser_reads_alike():
    """Over damaged requests: one request, the same but for its body and the length of that, and whether it is whole."""
    chance = random.Random(13)  # noqa: S311 - the same in every run
    known, first = RepeatedHead.of(request(), head(), BODY), Reader(request())
    assert known is not None
    told = 0
    for _ in range(20_000):
        body = chance.randbytes(chance.choice((1, 9, 10, 99, 100, 1000)))
        data = known.with_body(body) if chance.random() < 0.2 else changed(request(body), chance)
        found = known.rest_of(data)
        if found is not None and len(found[1]) <= found[0]:
            read = Reader(data)
            assert (read.complete, read.body) == (len(found[1]) == found[0], found[1]), data
            assert read.without_length() == first.without_length(), data
            told += 1
    assert told > 4_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(request()[:-1], id="not-whole"),
        pytest.param(request() + b"P", id="more"),
        pytest.param(request() * 2, id="two"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", id="no-length"),
        pytest.param(request().replace(b"B: c", b"Content-Length: %d" % len(BODY)), id="two-lengths"),
        pytest.param(request().replace(b"\r\n\r\n", b"\n\n", 1), id="other-ends"),
        pytest.param(request().replace(b"B: c", b"B: " + b"c" * (8 << 10)), id="long"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_no_head_is_kept_of_what_is_not_one_whole_request(data):
    """Where the parser read this head and body, but something else stands beside them, or much has to be kept, too."""
    assert RepeatedHead.of(data, head(), BODY) is None
