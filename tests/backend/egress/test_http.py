"""HTTP requests of the server over real sockets: where they may go, redirects, credentials, limits."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from http_sinks import http_sink

from spanglass_server.egress.egress import Egress
from spanglass_server.egress.http import Request, UnreachableError
from spanglass_server.egress.policy import Policy, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRUSTING = Policy().trusting("127.0.0.1", "inside.example")


class Names:
    """A name server that gives one answer after the other, the last again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _: int) -> Sequence[str]:
        """The next answer."""
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "2130706433", "127.1", "0x7f.1", "0"]
)
def test_nothing_reaches_the_machine_itself(host: str):
    """However loopback is written, as a name, an address or one in an old form, no connection is made."""

    async def run() -> None:
        async with http_sink() as sink:
            with pytest.raises((RefusedError, UnreachableError)):
                await Egress().send(Request(url=sink.url(host=host)))
            with pytest.raises((RefusedError, UnreachableError)):
                await Egress().connect(host.strip("[]"), sink.port, 5)
            assert sink.got == []

    asyncio.run(run())


def test_names_that_change_their_address():
    """Each lookup is checked, and so is the address that a socket is made for: a name can't be swapped in between."""

    async def run() -> None:
        async with http_sink() as sink:
            names = Names(["127.0.0.1"])
            with pytest.raises(RefusedError, match=r"swapped\.example is 127\.0\.0\.1, a loopback address, to which"):
                await Egress(lookup=names).send(Request(url=sink.url(host="swapped.example")))

            # what is public at the first look is not at the second, which a redirect leads to
            sink.answers = [(307, {"location": sink.url("/two", "swapped.example")}, b"")]
            first = Egress(Policy().trusting("swapped.example"), lookup=Names(["127.0.0.1"], ["169.254.169.254"]))
            with pytest.raises(RefusedError, match=r"169\.254\.169\.254, a link-local or metadata address"):
                await first.send(Request(url=sink.url("/one", "swapped.example"), redirects=3))
            assert [got.path for got in sink.got] == ["/one"]

            # of several addresses only those that are allowed are tried
            both = Egress(Policy.of(["127.0.0.1"]), lookup=Names(["10.255.255.1", "127.0.0.1"]))
            assert (await both.addresses("both.example", 80)) == ["127.0.0.1"]
            assert (await both.send(Request(url=sink.url("/three", "both.example")))).status == 307

    asyncio.run(run())


def test_the_check_of_the_socket_stands_by_itself(monkeypatch: pytest.MonkeyPatch):
    """Were the check of the name's answers gone, the check of what is connected to would still refuse."""
    from spanglass_server.egress import connecting  # noqa: PLC0415 - to take a part out of it

    async def unchecked(self: connecting.Opening, port: int) -> Sequence[str]:
        return await self._lookup(self._host, port)

    monkeypatch.setattr(connecting.Opening, "addresses", unchecked)

    async def run() -> None:
        async with http_sink() as sink:
            egress = Egress(lookup=Names(["127.0.0.1"]))
            with pytest.raises(RefusedError, match="a loopback address"):
                await egress.send(Request(url=sink.url(host="swapped.example")))
            with pytest.raises(RefusedError, match="a loopback address"):
                await egress.connect("swapped.example", sink.port, 5)
            assert sink.got == []

    asyncio.run(run())


def test_redirects_and_credentials():
    """Redirects keep method and body where HTTP says so; to another host go no headers that may hold credentials."""

    async def run() -> None:
        async with http_sink() as one, http_sink() as two:
            egress = Egress(_TRUSTING, lookup=Names(["127.0.0.1"]))
            headers = {"Authorization": "Bearer s", "X-Key": "s", "Content-Type": "text/plain"}
            request = Request(url=one.url("/a"), headers=headers, body=b"hello", redirects=2)

            one.answers = [(307, {"location": "/b"}, b""), (308, {"location": two.url("/c")}, b"")]
            answer = await egress.send(request)
            assert (answer.status, answer.redirects, answer.url) == (200, 2, two.url("/c"))
            assert [(got.method, got.body) for got in one.got + two.got] == [("POST", b"hello")] * 3
            assert [got.headers.get("X-Key") for got in one.got + two.got] == ["s", "s", None]
            assert [got.headers.get("Authorization") for got in one.got + two.got] == ["Bearer s", "Bearer s", None]
            assert two.got[0].headers["Content-Type"] == "text/plain"

            one.answers = [(302, {"location": two.url("/d")}, b"")]
            with pytest.raises(RefusedError, match="the body would be lost; give the address that it leads to"):
                await egress.send(request)
            assert (await egress.send(Request(url=one.url("/e"), method="GET", redirects=1))).status == 200
            assert (await egress.send(Request(url=one.url("/f"), method="GET"))).status == 302

            one.answers = [(302, {"location": "http://10.0.0.1/"}, b"")]
            with pytest.raises(RefusedError, match="private address"):
                await egress.send(Request(url=one.url("/g"), method="GET", redirects=1))
            one.answers = [(302, {"location": "file:///etc/hostname"}, b"")]
            with pytest.raises(RefusedError, match="not of HTTP"):
                await egress.send(Request(url=one.url("/h"), method="GET", redirects=1))

    asyncio.run(run())


def test_limits_of_time_and_size():
    """An answer without end, one that trickles, and one that is small until it is unpacked, all end at the limits."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 4096)

    async def trickling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await asyncio.sleep(60)
        return response

    async def packed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(bytes(10_000_000)), headers={"content-encoding": "gzip"})

    async def run() -> None:
        async with http_sink() as sink:
            egress = Egress(_TRUSTING)
            for handler in (endless, packed):
                sink.handler = handler
                answer = await egress.send(Request(url=sink.url(), max_bytes=10_000))
                assert (len(answer.body), answer.is_cut) == (10_000, True)
            sink.handler = trickling
            with pytest.raises(UnreachableError, match=r"127\.0\.0\.1 gave no whole answer within 0\.2 s"):
                await egress.send(Request(url=sink.url(), timeout_s=0.2))

    asyncio.run(run())


def test_errors_hold_no_more_than_the_host():
    """What went wrong is said in words, without the path of the address, which may be a secret."""

    async def run() -> None:
        egress = Egress(_TRUSTING, lookup=Names([]))
        with socket.create_server(("127.0.0.1", 0)) as ended:
            port = ended.getsockname()[1]
        for url, words in (
            (f"http://127.0.0.1:{port}/SECRET", "127.0.0.1 can't be asked: connection refused"),
            ("http://nowhere.example/SECRET", "nowhere.example can't be asked: its name is not known"),
            ("ftp://a.example/SECRET", "the address is no URL of HTTP; write https://host/path"),
            ("http://user:SECRET@a.example/", "the address of a.example holds a user name; give it in a header"),
            ("http://[SECRET", "the address is no URL; write https://host/path"),
        ):
            with pytest.raises((UnreachableError, RefusedError)) as caught:
                await egress.send(Request(url=url))
            assert str(caught.value).startswith(words)
            assert "SECRET" not in str(caught.value) + repr(Request(url=url))

    asyncio.run(run())


def test_proxies(monkeypatch: pytest.MonkeyPatch):
    """A proxy of the environment counts for nothing; with that of the settings, targets are checked all the same."""

    async def run() -> None:
        async with http_sink() as proxy, http_sink() as sink:
            monkeypatch.setenv("HTTP_PROXY", proxy.url())
            await Egress(_TRUSTING).send(Request(url=sink.url()))
            assert (len(proxy.got), len(sink.got)) == (0, 1)

            egress = Egress(proxy=proxy.url("", "127.0.0.1"), lookup=Names(["1.1.1.1"]))
            await egress.send(Request(url="http://far.example/x"))
            assert [got.headers["Host"] for got in proxy.got] == ["far.example"]
            with pytest.raises(RefusedError):
                await egress.send(Request(url=sink.url()))
            assert (len(proxy.got), len(sink.got)) == (1, 1)

    asyncio.run(run())
