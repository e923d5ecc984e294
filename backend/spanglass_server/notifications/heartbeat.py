"""The dead man's switch: an address outside is called as long as alerts are evaluated and delivered.

Who watches that address (a service for cron jobs, another Spanglass) tells people when the calls stop: when this
server, its machine or its network is gone, or its alerter no longer works, nobody here could.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.egress.http import Request, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_core.settings_types import Secret
    from spanglass_server.egress.egress import Egress

_TIMEOUT_S = 10.0
_REDIRECTS = 3
_FAILED = 300  # statuses from here on: the call was not taken


@dataclass(frozen=True, slots=True)
class HeartbeatStatus:
    """How it stands. ``withheld`` says why there is no call, ``error`` why the last one failed; "" if neither is so."""

    last_ns: int = 0  # the last call that was taken; 0: none yet
    withheld: str = ""
    error: str = ""


class Heartbeat:
    """Calls an address that the operator names. ``problems`` are why alerts may not reach people, none if they do."""

    def __init__(
        self, url: Secret, egress: Egress, problems: Callable[[], Sequence[str]], clock_ns: Callable[[], int]
    ) -> None:
        self._url = url
        self._host = host_of(url.reveal())
        self._egress = egress.trusting([self._host])
        self._problems = problems
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._status = HeartbeatStatus()

    def status(self) -> HeartbeatStatus:
        """How it stands; any thread may ask."""
        with self._lock:
            return self._status

    def problems(self) -> list[str]:
        """What is wrong with the calls themselves, in words for people."""
        error = self.status().error
        return [f"the heartbeat is not taken: {error}"] if error else []

    def beat(self) -> None:
        """Call once, unless alerts may not reach people: then the silence is the message. Waits for the answer."""
        found = self._problems()
        if found:
            self._note(replace(self.status(), withheld=found[0], error=""))
            return
        error = asyncio.run(self._call())
        last_ns = self.status().last_ns if error else self._clock_ns()
        self._note(HeartbeatStatus(last_ns=last_ns, error=error))

    def _note(self, status: HeartbeatStatus) -> None:
        with self._lock:
            self._status = status

    async def _call(self) -> str:
        """Why the call failed, "" if it did not."""
        request = Request(url=self._url.reveal(), method="GET", timeout_s=_TIMEOUT_S, redirects=_REDIRECTS)
        try:
            answer = await self._egress.send(request)
        except OSError as error:
            return str(error)
        return f"{self._host} answered {answer.status}" if answer.status >= _FAILED else ""
