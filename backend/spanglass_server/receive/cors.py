"""Cross-origin requests of browser exporters (Fetch standard, "CORS protocol"): off unless origins are configured."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ALWAYS_ALLOWED = ("Content-Type", "Content-Encoding", "Authorization")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Cors:
    """Which web pages may send telemetry.

    ``origins`` are exact (``https://shop.example``) or hold ``*`` for any run of letters, digits, dots, colons and
    hyphens (``https://*.shop.example``, ``http://localhost:*``); ``*`` alone is any origin. ``credentials`` allows
    cookies to be sent along, as ``navigator.sendBeacon`` does, and so needs origins that say whose.
    """

    origins: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()  # besides Content-Type, Content-Encoding and Authorization
    max_age_s: int = 7200  # browsers cap it: Chromium at 2 hours
    credentials: bool = False
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.credentials and "*" in self.origins:
            raise ValueError('the CORS origin "*" cannot be combined with credentials; name the origins')
        patterns = [re.escape(origin).replace(r"\*", "[A-Za-z0-9.:-]*") for origin in self.origins if origin != "*"]
        object.__setattr__(self, "_pattern", re.compile("|".join(patterns)))

    def preflight(self, origin: str | None) -> Headers | None:
        """Answer headers of an OPTIONS request, or None if pages of this origin may not send."""
        allowed = self.answer(origin)
        if not allowed:
            return None
        return [
            *allowed,
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", ", ".join((*_ALWAYS_ALLOWED, *self.headers)).encode()),
            (b"access-control-max-age", str(self.max_age_s).encode()),
        ]

    def answer(self, origin: str | None) -> Headers:
        """Answer headers of any other request: the page may read the answer, errors too."""
        if origin is None or not self.origins:
            return []
        if "*" in self.origins:
            return [(b"access-control-allow-origin", b"*"), *_EXPOSED]
        if not self._pattern.fullmatch(origin):
            return []
        headers = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"), *_EXPOSED]
        return [*headers, (b"access-control-allow-credentials", b"true")] if self.credentials else headers


_EXPOSED: Headers = [(b"access-control-expose-headers", b"Retry-After")]
