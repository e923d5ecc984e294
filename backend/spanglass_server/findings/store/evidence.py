"""Evidence as it is stored: as JSON, the newest and the costliest of what was seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from spanglass_server.findings.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

#: So many of the newest and so many of the costliest are kept.
_NEWEST, _COSTLIEST = 5, 5
_FIELDS: Final = ("start_ns", "ns", "calls", "waste_ns")


def read_evidence(text: str) -> tuple[Evidence, ...]:
    """Read what ``write_evidence`` wrote."""
    return tuple(
        Evidence(bytes.fromhex(trace_id), bytes.fromhex(span_id), *numbers)
        for trace_id, span_id, *numbers in json.loads(text)
    )


def write_evidence(evidence: Iterable[Evidence]) -> str:
    """Write evidence as one text."""
    return json.dumps([[e.trace_id.hex(), e.span_id.hex(), *(getattr(e, name) for name in _FIELDS)] for e in evidence])


def merged(*kept: Iterable[Evidence]) -> list[Evidence]:
    """Return the newest and the costliest, the costliest first; of one trace the costliest."""
    of_trace: dict[bytes, Evidence] = {}
    for one in (each for some in kept for each in some):
        known = of_trace.get(one.trace_id)
        if known is None or one.waste_ns > known.waste_ns:
            of_trace[one.trace_id] = one
    newest = sorted(of_trace.values(), key=lambda one: one.start_ns, reverse=True)[:_NEWEST]
    costliest = sorted(of_trace.values(), key=lambda one: one.waste_ns, reverse=True)[:_COSTLIEST]
    return sorted({*newest, *costliest}, key=lambda one: (-one.waste_ns, one.trace_id))
