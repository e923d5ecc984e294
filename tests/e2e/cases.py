"""The inputs of tests/data/cases: OTLP/JSON with made-up or recorded data, moved to the present when it is loaded."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadgen.server import ServerProcess

CASES = Path(__file__).parents[1] / "data" / "cases"
HOUR_NS = 3_600_000_000_000
_PATHS = {"resourceSpans": "/v1/traces", "resourceLogs": "/v1/logs", "resourceMetrics": "/v1/metrics"}
_TIME = re.compile(r"@T(?:(-[\d.]+)(s|ms))?@")
_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000}
_RECORDED_TIME = re.compile(r'(UnixNano":\s*"?)(\d{19})\b')


@dataclass(frozen=True, slots=True)
class Case:
    """One situation: ``@T-60s@`` becomes the nanoseconds of 60 s before ``now_ns``, ``@RUN@`` a unique word."""

    name: str
    now_ns: int
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    trace_ids: dict[str, str] = field(default_factory=dict)

    def trace_id(self, number: int = 1) -> str:
        """Return the trace id that stands at ``@TID1@``, ``@TID2@`` ..."""
        return self.trace_ids.setdefault(str(number), uuid.uuid4().hex)

    def load(self, file: str = "input.json") -> dict[str, Any]:
        """Return a file's request with its places filled; recorded times move by whole hours into the last hour."""
        text = (CASES / self.name / file).read_text()
        text = _TIME.sub(self._time, text).replace("@RUN@", self.run)
        text = re.sub(r"@TID(\d+)@", lambda place: self.trace_id(int(place[1])), text)
        if self.name.startswith("sender-"):
            newest = max((int(time) for _, time in _RECORDED_TIME.findall(text)), default=self.now_ns)
            moved = (self.now_ns - newest) // HOUR_NS * HOUR_NS
            text = _RECORDED_TIME.sub(lambda place: f"{place[1]}{int(place[2]) + moved}", text)
        request: dict[str, Any] = json.loads(text)
        return request

    def send(self, server: ServerProcess, file: str = "input.json") -> dict[str, Any]:
        """Post a file to the server over OTLP/JSON and return the request; anything but a full success fails."""
        request = self.load(file)
        path = next(_PATHS[key] for key in request if key in _PATHS)
        answer = server.request("POST", path, json.dumps(request).encode(), {"Content-Type": "application/json"})
        assert (answer.status, answer.json()) == (200, {})
        return request

    def _time(self, place: re.Match[str]) -> str:
        return str(self.now_ns + round(float(place[1] or 0) * _UNIT_NS[place[2] or "s"]))
