"""What checks look at in tests: real sockets that answer, hang, refuse, and speak TLS."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress

import dns.message
import dns.rrset

#: What the HTTP target answers, by path: status, headers, body.
PAGES = {
    "/ok": (200, {}, b"all is well"),
    "/json": (200, {}, b'{"status": "up", "parts": [{"name": "db", "load": 0.5}], "on": true}'),
    "/broken": (503, {}, b"maintenance"),
    "/moved": (302, {"Location": "/ok"}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
}


async def answer_http(reader, writer):
    """Answer one request as its path says; one with a login is told of it, and ``/hang`` never is answered."""
    try:
        await _answer(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # whoever asked has left
    finally:
        writer.close()


async def _answer(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split()[1]
    if path == "/hang":
        await asyncio.sleep(3600)
    login = [line for line in head.splitlines() if line.lower().startswith("authorization")]
    status, headers, body = (
        (200, {}, login[0].encode()) if path == "/login" and login else PAGES.get(path, PAGES["/ok"])
    )
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()


async def greet(reader, writer):
    """Say who it is, then repeat what is said."""
    writer.write(b"220 mail ready\r\n")
    with suppress(ConnectionError):  # checks leave when they have seen enough
        while line := await reader.readline():
            writer.write(b"you said " + line)
            await writer.drain()
    writer.close()


async def hang(reader, writer):
    """Take what comes, and never answer."""
    try:
        while await reader.read(1000):
            pass
    except ConnectionError:
        pass  # whoever asked has left
    finally:
        writer.close()


class _Names(asyncio.DatagramProtocol):
    """A name server that knows one name."""

    def connection_made(self, transport):
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, data, address):
        """Answer one question."""
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        name = question.question[0].name
        if str(name) == "shop.test.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1", "192.0.2.2"))
        else:
            answer.set_rcode(3)
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def serving(handler, **options):
    """Serve connections on a free port, which is given."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def name_server():
    """Serve names on a free port, which is given."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Names, ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def certificate(directory, name, days):
    """Make a certificate that signs itself and is valid for so many days; gives its file and a server's context."""
    key, file = directory / f"{name}.key", directory / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", file, "-days", str(days), "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
