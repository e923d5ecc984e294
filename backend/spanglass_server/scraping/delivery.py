"""From scrapes to ingest: the same intake as for senders, with the same counts, limits and list of rejections."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from spanglass_server.ingest.ports import Form
from spanglass_server.receive.rejections import Sender
from spanglass_server.receive.status import RequestRefusedError
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.receive.intake import Intake
    from spanglass_server.scraping.target import Target

_TRANSPORT: Final = "scrape"
_RETRY_S: Final = 1.0


class Delivery:
    """Hands requests to ingest; one that is refused for the moment is tried again while there is time."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def deliver(self, body: bytes, target: Target, *, patience_s: float) -> str:
        """Store a request; returns why nothing of it was stored, in words, or ""."""
        sender = Sender(f"scrape of {target.job.job}", target.address)
        end = time.monotonic() + patience_s
        while True:
            try:
                with self._intake.admit(len(body)) as reservation:
                    accepted = await self._intake.submit(Signal.METRICS, body, reservation, Form.REMOTE_WRITE_2)
            except RequestRefusedError as error:
                if error.reason.codes.retryable and time.monotonic() + _RETRY_S < end:
                    await asyncio.sleep(_RETRY_S)
                    continue
                self._intake.refuse(Signal.METRICS, _TRANSPORT, error, sender)
                return f"not stored: {error.message}"
            self._intake.accept(*(Signal.METRICS, _TRANSPORT, Form.REMOTE_WRITE_2.value, len(body)), accepted, sender)
            return ""
