"""Real sinks of notifications on loopback: an SMTP server, and HTTP addresses that answer, hang or fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from email import message_from_bytes
from typing import TYPE_CHECKING, Self

from aiohttp import web
from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

HOST = "127.0.0.1"
_READY_S = 10


class Sinks:
    """``received`` are the times in nanoseconds since 1970 at which notifications came in, by channel and id.

    ``alerts`` are the ids of notifications by channel and what they are about: the title of an alert, the subject. As a
    context manager it listens in a thread of its own.
    """

    def __init__(self) -> None:
        self.received: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.alerts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.http_port = self.smtp_port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def settings(self) -> str:
        """Channels of a settings file: mail, hook, hangs and fails."""
        hook = f"{{type: webhook, url: 'http://{HOST}:{self.http_port}/"
        mail = f"smtp_server: '{HOST}:{self.smtp_port}', from: spanglass@example.com, to: [ops@example.com], tls: none"
        return f"monitoring:\n  channels:\n    mail: {{type: email, {mail}}}\n" + "".join(
            f"    {name}: {hook}{name}'}}\n" for name in ("hook", "hangs", "fails")
        )

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content = envelope.content
        mail = message_from_bytes(content if isinstance(content, bytes) else (content or "").encode())
        notification_id = str(mail["X-Spanglass-Notification"])
        self.received["mail"][notification_id].append(time.time_ns())
        self.alerts["mail"][str(mail["Subject"])].add(notification_id)
        return "250 taken"

    async def _post(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await request.json()
        if name == "hangs":
            await asyncio.sleep(3600)
        if name == "fails":
            return web.Response(status=503)
        self.received[name][body["id"]].append(time.time_ns())
        for alert in body["alerts"]:
            self.alerts[name][alert["title"]].add(body["id"])
        return web.Response(text="taken")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/{name}", self._post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        self.http_port = int(runner.addresses[0][1])
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="sink", loop=loop), HOST, 0)
        self.smtp_port = int(server.sockets[0].getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_READY_S):
            raise RuntimeError("the sinks do not listen")
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(_READY_S)

    async def _end(self) -> None:
        """End what hangs, and stop."""
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._loop.stop()
