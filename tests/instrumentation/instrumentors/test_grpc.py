"""Servers of gRPC, with threads and with asyncio: what is an error of the server, and what an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.rpc.status_pb2 import Status
from grpc import aio
from grpc_status.rpc_status import to_status
from opentelemetry.trace import StatusCode

CODE = "rpc.grpc.status_code"


def raises(_request, _context):
    """Fail."""
    raise ValueError("no stock")


def raises_plainly(_request, _context):
    """Fail with an exception that looks nearly like that of ``abort``."""
    raise Exception("no stock")  # noqa: TRY002 - as applications do


def raises_after_a_code(_request, context):
    """Fail with a code for the client."""
    context.set_code(grpc.StatusCode.NOT_FOUND)
    raise KeyError("order")


def aborts_not_found(_request, context):
    """End with an answer."""
    return context.abort(grpc.StatusCode.NOT_FOUND, "no such order")


def aborts_unavailable(_request, context):
    """End with a code that the conventions take for an error of the server."""
    return context.abort(grpc.StatusCode.UNAVAILABLE, "come back later")


def aborts_with_status(_request, context):
    """End with an answer that has details."""
    return context.abort_with_status(to_status(Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="none")))


def answers(_request, context):
    """Answer, uncompressed."""
    context.disable_next_message_compression()
    return b"order"


SYNC = (raises, raises_plainly, raises_after_a_code, aborts_not_found, aborts_unavailable, aborts_with_status, answers)


class Handlers(grpc.GenericRpcHandler):
    """Calls functions by the method's name: those in ``/shop/`` answer once, those in ``/stream/`` with a stream."""

    def __init__(self, functions):
        self.functions = functions

    def service(self, details):
        """Return the handler of a call."""
        _, service, method = details.method.split("/")
        if method not in self.functions:
            return None
        make = grpc.unary_stream_rpc_method_handler if service == "stream" else grpc.unary_unary_rpc_method_handler
        return make(self.functions[method])


def streaming(function):
    """Make a handler of a stream that ends as a function does."""

    def handler(request, context):
        yield b"first"
        yield function(request, context)

    return handler


def awaited(function):
    """Make a handler of asyncio; ``abort`` is to be awaited there."""

    async def handler(request, context):
        result = function(request, context)
        return await result if hasattr(result, "__await__") else result

    return handler


def outcome(call):
    """Return the code that a client sees."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def told_of(span, name):
    """Return what the span of a call says: status, code, and the exceptions."""
    assert span.name == name
    exceptions = [event.attributes["exception.type"] for event in span.events if event.name == "exception"]
    return span.status.status_code is StatusCode.ERROR, span.attributes[CODE], exceptions


EXPECTED = {
    "raises": ("UNKNOWN", (True, 2, ["ValueError"])),
    "raises_plainly": ("UNKNOWN", (True, 2, ["Exception"])),
    "raises_after_a_code": ("NOT_FOUND", (False, 5, ["KeyError"])),
    "aborts_not_found": ("NOT_FOUND", (False, 5, [])),
    "aborts_unavailable": ("UNAVAILABLE", (True, 14, [])),
    "aborts_with_status": ("NOT_FOUND", (False, 5, [])),
    "answers": ("OK", (False, 0, [])),
}


@pytest.fixture(scope="module")
def told(instrument):
    """Turn the instrumentations of servers on for this module."""
    return instrument("grpc_server", "grpc_aio_server")


@pytest.fixture(scope="module")
def channel(told):
    """Run a server with threads, and connect to it; interceptors are passed by position, as grpc takes them."""
    assert told.spans() == []
    functions = {each.__name__: each for each in SYNC}
    streams = {f"{name}_late": streaming(each) for name, each in functions.items()}
    server = grpc.server(ThreadPoolExecutor(2), [Handlers({**functions, **streams})], ())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as connected:
        yield connected
    server.stop(0).wait()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_server_with_threads(told, channel, name):
    """A handler that raises is an error; one that aborts by its code only; each exception is told once."""
    code, expected = EXPECTED[name]
    assert outcome(lambda: channel.unary_unary(f"/shop/{name}")(b"")) == code
    assert told_of(told.wait_for_one("SERVER"), f"/shop/{name}") == expected
    assert outcome(lambda: list(channel.unary_stream(f"/stream/{name}_late")(b""))) == code
    assert told_of(told.wait_for_one("SERVER"), f"/stream/{name}_late") == expected


def test_a_server_of_asyncio(told):
    """The same of a server of asyncio."""
    names = [name for name in EXPECTED if name != "aborts_with_status"]  # it has none

    async def serve():
        server = aio.server(None, [Handlers({name: awaited(globals()[name]) for name in names})])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        seen = {}
        try:
            async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                for name in names:
                    try:
                        await channel.unary_unary(f"/shop/{name}")(b"")
                        code = "OK"
                    except aio.AioRpcError as error:
                        code = error.code().name
                    span = await asyncio.to_thread(told.wait_for_one, "SERVER")
                    seen[name] = (code, told_of(span, f"/shop/{name}"))
        finally:
            await server.stop(None)
        return seen

    assert asyncio.run(serve()) == {name: EXPECTED[name] for name in names}
