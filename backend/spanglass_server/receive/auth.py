"""The ingest token: who may send telemetry."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.receive.ports import Authorize


def anyone(_authorization: str | None) -> bool:
    """Allow every sender: for servers that only listen on loopback."""
    return True


def bearer(token: str) -> Authorize:
    """Make a check for ``Authorization: Bearer <token>``, compared in constant time (RFC 6750, section 2.1).

    Exporters send it with ``OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>``.
    """
    expected = token.encode()
    if not expected:
        raise ValueError("the ingest token is empty; set one, or leave the setting out")

    def allows(authorization: str | None) -> bool:
        scheme, _, given = (authorization or "").partition(" ")
        # both parts are compared always: the time taken tells nothing about the token
        right = hmac.compare_digest(given.strip().encode(errors="surrogateescape"), expected)
        return right and scheme.lower() == "bearer"

    return allows
