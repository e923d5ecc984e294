"""From where on each pattern is told of: the parameters of the detectors' SQL, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: From so many calls on a statement is asked once for each of something, or asked for what is known already.
LEAST_CALLS, LEAST_SAME, LEAST_CHATTY, LEAST_CHAIN = 5, 3, 10, 3
#: Calls with longer pauses between them are polls, or the work between them is what takes the time.
_MOST_GAP_NS: Final = 100 * NS_PER_MS
#: Loops are told of from this share of the request on, or from so much time on.
_LOOP_SHARE, _LOOP_NS = 0.05, 100 * NS_PER_MS
#: What is slow: statements, and calls to others; each also by its share of the request.
SLOW_QUERY_NS, SLOW_CALL_NS = 100 * NS_PER_MS, 300 * NS_PER_MS
_SLOW_SHARE: Final = 0.2
#: Of all like calls, or requests of the operation, so many are slow: a few that waited for a processor say nothing.
_OFTEN: Final = 0.3
#: Where the quickest tenth of the like calls of a minute is slow as well, that is no busy machine; of fewer none knows.
_QUICK, _LEAST_ALIKE = 0.1, 8
#: Where the middle wait is longer than the quick ones by less than this share of it, all may be of clocks that differ.
_LEAST_SPREAD: Final = 0.1
CHAIN_NS, _CHAIN_GAPS, _CHAIN_LEAST = 30 * NS_PER_MS, 0.1, 0.1
LARGE_BYTES: Final = 1_000_000
LOCK_NS: Final = 20 * NS_PER_MS
WAIT_NS: Final = 1000 * NS_PER_MS
GAP_NS, _GAP_SHARE = 100 * NS_PER_MS, 0.5

#: Characters of a statement that a finding keeps: there are thousands of findings, and a statement may have a million.
_MOST_TEXT: Final = 2_000

_DOUBT: Final = {"quick": _QUICK, "least_alike": _LEAST_ALIKE}

#: The machine is busy where so many pieces of requests, in so many places, take so many times as long as when they are
#: quick, and so long: 12 to 23 % of them in each service at a load of 25 a processor, less than 4 % at one of 6.
BUSY: Final = {
    "quick": _QUICK, "times": 10, "least_ns": 10 * NS_PER_MS, "least_alike": 10, "least_pieces": 30, "share": 0.08,
    "least_places": 3,
}  # fmt: skip

LIMITS: Final[Mapping[str, Mapping[str, Any]]] = {
    "repeated_queries": {
        "least_calls": LEAST_CALLS, "least_same": LEAST_SAME, "most_gap_ns": _MOST_GAP_NS,
        "notable_share": _LOOP_SHARE, "notable_ns": _LOOP_NS, "most_text": _MOST_TEXT,
    },
    "consecutive_calls": {
        "least_calls": LEAST_CHAIN, "notable_ns": CHAIN_NS, "notable_share": _SLOW_SHARE,
        "most_gaps_share": _CHAIN_GAPS, "least_share": _CHAIN_LEAST,
    },
    "slow_queries": {
        "slow_ns": SLOW_QUERY_NS, "often": _OFTEN, "notable_share": _SLOW_SHARE, "most_text": _MOST_TEXT,
        **_DOUBT,
    },
    "slow_calls": {"slow_ns": SLOW_CALL_NS, "often": _OFTEN, "notable_share": _SLOW_SHARE, **_DOUBT},
    "large_payloads": {"large_bytes": LARGE_BYTES},
    "chatty_calls": {
        "least_calls": LEAST_CHATTY, "most_gap_ns": _MOST_GAP_NS, "notable_share": _LOOP_SHARE,
        "notable_ns": _LOOP_NS,
    },
    "lock_waits": {
        "notable_ns": LOCK_NS, "notable_share": _SLOW_SHARE, "most_text": _MOST_TEXT, "often": _OFTEN,
        "least_alike": _LEAST_ALIKE,
    },
    "retries": {},
    "queue_waits": {"slow_ns": WAIT_NS, "often": _OFTEN, "least_spread": _LEAST_SPREAD, **_DOUBT},
    "gaps": {"notable_ns": GAP_NS, "notable_share": _GAP_SHARE, "often": _OFTEN},
}  # fmt: skip
