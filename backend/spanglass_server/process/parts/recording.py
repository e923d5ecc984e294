"""Where recording rules store what they give: in ingest, as if it had been sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from spanglass_server.ingest.ports import Form, IngestError
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.ingest.ports import Ingest

#: Then the disk hangs; what was to be stored may still be.
_PATIENCE_S: Final = 10.0


class IngestSink:
    """Implements ``SampleSink`` for a thread without an event loop: ingest answers in that of its caller."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def store(self, body: bytes) -> str:
        """See ``SampleSink``."""
        return asyncio.run(self._store(body))

    async def _store(self, body: bytes) -> str:
        try:
            submitting = self._ingest.submit(Signal.METRICS, body, form=Form.REMOTE_WRITE_2)
            accepted = await asyncio.wait_for(submitting, _PATIENCE_S)
        except IngestError as error:
            return f"not stored: {error}"
        except TimeoutError:
            return f"not stored within {_PATIENCE_S:g} s"
        return f"{accepted.rejected} samples were not stored: {accepted.message}" if accepted.rejected else ""
