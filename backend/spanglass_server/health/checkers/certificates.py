"""TLS of checks: contexts by what they verify, and how long the certificate that a server shows is valid."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

_SEQUENCE, _CONTEXT_0, _UTC_TIME = 0x30, 0xA0, 0x17
_LONG, _MOST_LENGTH_BYTES = 0x80, 4
#: Two digits of a year below this are of the 21st century (RFC 5280, 4.1.2.5.1).
_CENTURY: Final = 50
#: Fields of TBSCertificate before ``validity``, without the version: serialNumber, signature, issuer.
_BEFORE_VALIDITY: Final = 3


class CertificateError(ValueError):
    """The bytes are no certificate."""


def context_of(*, verify: bool, ca_file: str) -> ssl.SSLContext | None:
    """The context of a check; None for the machine's own authorities. Raises ``OSError`` for a file that can't be read.

    Contexts are kept: reading the machine's authorities takes some 20 ms. A file that changed is read again.
    """
    if verify and not ca_file:
        return None
    changed_ns = Path(ca_file).stat().st_mtime_ns if ca_file else 0
    return _context(verify, ca_file, changed_ns)


@lru_cache(maxsize=64)
def _context(verify: bool, ca_file: str, changed_ns: int) -> ssl.SSLContext:  # noqa: FBT001 - the key of a cache
    del changed_ns
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError as error:
        raise OSError(f"{ca_file} holds no certificates of authorities: {error.reason}") from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)
def default_context() -> ssl.SSLContext:
    """The context that knows the machine's authorities."""
    return ssl.create_default_context()


def valid_until(der: bytes) -> datetime:
    """When a certificate ends (X.509, DER): ``Certificate.tbsCertificate.validity.notAfter``.

    Python tells it only of certificates that were verified. Raises ``CertificateError``.
    """
    try:
        certificate = _content(der, 0, _SEQUENCE)
        tbs = _content(certificate, 0, _SEQUENCE)
        place = _end(tbs, 0) if tbs[0] == _CONTEXT_0 else 0
        for _ in range(_BEFORE_VALIDITY):
            place = _end(tbs, place)
        validity = _content(tbs, place, _SEQUENCE)
        after = _end(validity, 0)
        return _time(validity[after], _content(validity, after).decode("ascii"))
    except (IndexError, ValueError) as error:
        raise CertificateError("what the server shows is no certificate") from error


def _header(data: bytes, place: int) -> tuple[int, int]:
    """Where the content of an element begins and ends."""
    length, begin = data[place + 1], place + 2
    if length & _LONG:
        count = length & ~_LONG
        if not 0 < count <= _MOST_LENGTH_BYTES:
            raise ValueError("a length that DER has not")
        length = int.from_bytes(data[begin : begin + count])
        begin += count
    if begin + length > len(data):
        raise ValueError("an element that is cut off")
    return begin, begin + length


def _end(data: bytes, place: int) -> int:
    return _header(data, place)[1]


def _content(data: bytes, place: int, tag: int | None = None) -> bytes:
    if tag is not None and data[place] != tag:
        raise ValueError("another element than expected")
    begin, end = _header(data, place)
    return data[begin:end]


def _time(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        text = f"{'20' if int(text[:2]) < _CENTURY else '19'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
