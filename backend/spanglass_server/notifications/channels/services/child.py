"""The process that tells one service one message with apprise: JSON in, JSON out, under a guard on what it may reach.

Its environment is empty, it writes no files, reads only those of libraries, starts no programs, and every connection
that it opens is checked by the address. What happens in it is known by its answer alone.
"""

from __future__ import annotations

import base64
import logging
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from spanglass_server.egress.policy import Policy
from spanglass_server.egress.process_guard import ProcessGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMORY_BYTES = 768 * 1024**2
_CPU_S = 20
_MOST_TEXT = 6_000
_MOST_LOG = 2_000


def tell(task: Mapping[str, Any]) -> dict[str, Any]:
    """Tell one message.

    Gives ``sent``; ``log``, what went wrong; ``refusal`` of the guard; ``unknown`` for a URL that is no service's.
    """
    import apprise  # noqa: PLC0415 - 0.2 s, and only after the limits are set
    from apprise.common import OverflowMode  # noqa: PLC0415 - as above
    from apprise.logger import LogCapture  # noqa: PLC0415 - as above

    guard = ProcessGuard(Policy.of(task["allow"]))
    limit_requests(guard, task["proxy"])
    guard.install()
    capture: Any = LogCapture
    with capture(level=logging.WARNING) as log:
        plugin = apprise.Apprise.instantiate(task["url"], suppress_exceptions=True)
        if plugin is None or not _schemes(plugin) & set(task["schemes"]):
            return {"sent": False, "unknown": True}
        plugin.overflow_mode = OverflowMode.SPLIT
        sent = plugin.notify(
            body=task["text"][:_MOST_TEXT],
            title=task["title"],
            notify_type=apprise.NotifyType(task["type"]),
            attach=_chart(task["png"]) if task["png"] and getattr(plugin, "attachment_support", False) else None,
        )
        return {"sent": bool(sent), "log": log.getvalue()[-_MOST_LOG:], "refusal": guard.refusal}


def _chart(png: str) -> Any:
    """The chart as something that is attached."""
    from apprise import AppriseAttachment  # noqa: PLC0415 - as above
    from apprise.attachment.memory import AttachMemory  # noqa: PLC0415 - as above

    attach: Any = AttachMemory
    return AppriseAttachment(attach(content=base64.b64decode(png), name="chart.png", mimetype="image/png"))


def _schemes(plugin: Any) -> set[str]:
    """The schemes by which a service is known."""
    found: set[str] = set()
    for given in (plugin.protocol, plugin.secure_protocol):
        found.update((given,) if isinstance(given, str) else given or ())
    return found


def limit_requests(guard: ProcessGuard, proxy: str) -> None:
    """Let requests go through the proxy of the settings alone, and follow no redirect."""
    import requests  # noqa: PLC0415 - apprise has it

    sessions: Any = requests.Session
    send = sessions.send

    def limited(session: Any, request: Any, **options: Any) -> Any:
        session.trust_env = False
        options["allow_redirects"] = False
        options["proxies"] = {"http": proxy, "https": proxy} if proxy else {}
        if proxy:
            guard.check_host(urlsplit(request.url).hostname or "")
        return send(session, request, **options)

    sessions.send = limited


def main() -> None:
    """Read a task, tell it, write what came of it."""
    limits = ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CPU, _CPU_S))
    for limit, most in limits:
        with suppress(ValueError, OSError):  # macOS has no limit of the first kind
            resource.setrlimit(limit, (most, most))
    answer = tell(orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(b"\n" + orjson.dumps(answer))


if __name__ == "__main__":
    main()
