"""Requests to ASGI applications in this process."""

from __future__ import annotations

import asyncio

import httpx


def ask(app, path="/", method="GET", *, root_path="", **options):
    """Send one request to an ASGI application as a server does that answers exceptions with 500."""

    async def send():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop:8000") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def scope_of(path="/", kind="http", **more):
    """Make an ASGI scope."""
    return {
        "type": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"shop:8000")],
        "scheme": "http" if kind == "http" else "ws",
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("10.0.0.9", 4711),
        "root_path": "",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        **({"method": "GET"} if kind == "http" else {"subprotocols": []}),
        **more,
    }
