"""The process that tells a channel's service with apprise: a line of JSON a message, a line out, under a guard.

Its environment is empty, it writes no files, reads only those of libraries, starts no programs, and every connection
that it opens is checked by the address. What happens in it is known by its answers alone. It ends when nothing was
asked for a minute, or its input ends.
"""

from __future__ import annotations

import base64
import logging
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from spanglass_server.egress.policy import Policy
from spanglass_server.egress.process_guard import ProcessGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MEMORY_BYTES = 768 * 1024**2
_PATIENCE_S = 60.0
_MOST_TEXT = 6_000
_MOST_LOG = 2_000


class Teller:
    """Tells messages of one channel: all have the same ``allow`` and ``proxy``."""

    def __init__(self, allow: Sequence[str], proxy: str) -> None:
        import apprise  # noqa: PLC0415 - 0.2 s, and only after the limits are set

        self._apprise = apprise
        # no pictures of theirs, which phones would load from elsewhere
        self._asset = apprise.AppriseAsset(
            app_id="Spanglass", app_desc="Spanglass", app_url="", image_url_mask="", image_url_logo=""
        )
        self._guard = ProcessGuard(Policy.of(allow))
        limit_requests(self._guard, proxy)
        self._guard.install()

    def tell(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Tell one message.

        Gives ``sent``; ``log``, what went wrong; ``refusal`` of the guard; ``unknown`` for a URL that is no service's.
        """
        from apprise.common import OverflowMode  # noqa: PLC0415 - as above
        from apprise.logger import LogCapture  # noqa: PLC0415 - as above

        self._guard.refusal = ""
        capture: Any = LogCapture
        with capture(level=logging.WARNING) as log:
            plugin = self._apprise.Apprise.instantiate(task["url"], asset=self._asset, suppress_exceptions=True)
            if plugin is None or not _schemes(plugin) & set(task["schemes"]):
                return {"sent": False, "unknown": True}
            plugin.overflow_mode = OverflowMode.SPLIT
            sent = plugin.notify(
                body=task["text"][:_MOST_TEXT],
                title=task["title"],
                notify_type=self._apprise.NotifyType(task["type"]),
                attach=_chart(task["png"]) if task["png"] and getattr(plugin, "attachment_support", False) else None,
            )
            return {"sent": bool(sent), "log": log.getvalue()[-_MOST_LOG:], "refusal": self._guard.refusal}


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
    """Read tasks and tell them, until there are none."""
    limits = ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0))
    for limit, most in limits:
        with suppress(ValueError, OSError):  # macOS has no limit of the first kind
            resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the server
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    teller: Teller | None = None
    while select.select([sys.stdin.buffer], [], [], _PATIENCE_S)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        task = orjson.loads(line)
        teller = teller or Teller(task["allow"], task["proxy"])
        answers.write(orjson.dumps(teller.tell(task)) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
