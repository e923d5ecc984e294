"""Headers of every answer the pages give."""

from __future__ import annotations

#: No inline script or style, no other host, no framing: telemetry is hostile text, and this holds if escaping fails.
CONTENT_SECURITY_POLICY = "; ".join(  # noqa: FLY002 - one directive a line
   (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
))  # fmt: skip

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
