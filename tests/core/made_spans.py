"""Made-up spans of a trace, and strategies that draw whole traces."""

from __future__ import annotations

from hypothesis import strategies as st

from spanglass_core.traces.trace_nodes import Span

MS = 1_000_000
SECOND = 1_000_000_000
T = 1_795_911_134_031_026_867  # a time of this decade, of a clock that counts nanoseconds
UPTIME = 44_511_913_730_532


def span(name, parent=None, start=T, duration=100, clock="a", **more):
    """Make a span whose id is a letter; its service is that of its clock."""
    parent_id = parent.encode() if parent is not None else None
    return Span(name.encode(), parent_id, clock, start, duration, service=clock, **more)


KINDS = ("internal", "client", "server", "producer", "consumer")


STARTS = st.integers(0, 60)


@st.composite
def trees(draw, clocks="abc", starts=STARTS, spans=14):
    """Draw the spans of a trace without circles; each hangs from an earlier one."""
    found = []
    for number in range(draw(st.integers(1, spans))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        clock = draw(st.sampled_from(clocks))
        found.append(
            span(
                chr(97 + number),
                None if parent is None else chr(97 + parent),
                T + draw(starts),
                draw(st.integers(0, 60)),
                clock,
                kind=draw(st.sampled_from(KINDS)),
                failed=draw(st.booleans()),
            )
        )
    return found
