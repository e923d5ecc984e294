"""Recognising exact resends: digests of the requests of the last minutes, in memory and, through the catalog, on disk.

An exporter that did not get its answer sends the same bytes again. Log records without any time are the exception: the
same bytes are another event of the same kind then, and each is kept.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.ingest.ports import Form
    from spanglass_server.signals import Signal

#: ``hashlib`` lets other threads run while it reads 2 KiB or more, and then waits for its turn again: up to a
#: millisecond, for a body that takes 10 us. So bodies are read in pieces, except those that take long enough to let
#: others run.
_PIECE_BYTES = 2000
_ALONE_BYTES = 128 << 10


def digest_of(signal: Signal, body: bytes, form: Form | None = None, *, unlike_others: bool = False) -> bytes:
    """128 bits over the kind of request and the body: two different requests in 2^64 would be taken for one.

    ``form`` is given where it is not OTLP.

    With ``unlike_others`` it differs from that of every other request, also of the same bytes.
    """
    digest = _begun(form or signal).copy()
    if unlike_others:
        digest.update(os.urandom(16))
    if len(body) > _ALONE_BYTES:
        digest.update(body)
    else:
        view = memoryview(body)
        for start in range(0, len(body), _PIECE_BYTES):
            digest.update(view[start : start + _PIECE_BYTES])
    return digest.digest()


@cache
def _begun(kind: Signal | Form) -> hashlib.blake2b:
    """A digest of nothing yet: a copy takes a fraction of making one."""
    return hashlib.blake2b(digest_size=16, person=str(kind).encode())


@dataclass(slots=True)
class _Generation:
    newest_ns: int
    digests: set[bytes] = field(default_factory=set)


class DigestWindow:
    """The digests of journaled requests, kept by generation for at least ``window_ns``. Thread-safe."""

    def __init__(self, window_ns: int) -> None:
        self._lock = threading.Lock()
        self.window_ns = window_ns
        self._generations: dict[int, _Generation] = {}

    def load(self, generation: int, newest_ns: int, digests: Iterable[bytes]) -> None:
        """Take over digests from the catalog or a replayed journal."""
        with self._lock:
            known = self._generations.get(generation)
            if known is None:
                known = self._generations[generation] = _Generation(newest_ns)
            known.digests.update(digests)
            known.newest_ns = max(known.newest_ns, newest_ns)

    def add(self, generation: int, digest: bytes, received_ns: int) -> None:
        """Remember a request that is in the journal now."""
        self.load(generation, received_ns, (digest,))

    def __contains__(self, digest: object) -> bool:
        with self._lock:
            for generation in self._generations.values():  # noqa: SIM110 - each request asks; a generator is four calls
                if digest in generation.digests:
                    return True
            return False

    def of(self, generation: int) -> tuple[int, frozenset[bytes]]:
        """When the generation's newest request came, and its digests."""
        with self._lock:
            known = self._generations.get(generation)
            return (0, frozenset()) if known is None else (known.newest_ns, frozenset(known.digests))

    def forget(self, now_ns: int) -> None:
        """Drop generations whose newest request is older than the window."""
        with self._lock:
            old = [number for number, g in self._generations.items() if g.newest_ns < now_ns - self.window_ns]
            for number in old:
                del self._generations[number]
