"""Which detectors may find anything in some spans, and in which of them.

Each costs 10 ms, and in a healthy minute most find nothing; those that look at each request by itself take 50 ms for
20,000 spans, of which a hundredth may have what they look for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from spanglass_server.findings.detecting import limits

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[Any]

_CLIENT = 3
_SERVED = (2, 5)
#: Detectors of what a busy machine may cause, too.
WAITING: Final = frozenset({"slow_queries", "slow_calls", "lock_waits", "queue_waits", "gaps"})


def candidates(spans: pa.Table) -> dict[str, Flags | None]:
    """Return the detectors that may find something in a table of ``read_spans``, by name.

    With those that look at each request by itself comes which spans they need; others need all.
    """
    ns, kind, request = (_numbers(spans, name) for name in ("ns", "kind", "request"))
    start, sent = (_numbers(spans, name) for name in ("start_ns", "sent_ns"))
    has_query, has_host = (spans[name].is_valid().to_numpy() for name in ("shape", "host"))
    is_call = (kind == _CLIENT) & ~has_query
    sizes = np.maximum(_numbers(spans, "received"), _numbers(spans, "sent"))
    is_bad = spans["failed"].to_numpy() | (_numbers(spans, "resend") > 0)
    shapes = pc.fill_null(pc.dictionary_encode(spans["shape"].combine_chunks()).indices, 0).to_numpy()
    by_itself = {
        "repeated_queries": has_query & _are_many(request * (shapes.max(initial=0) + 1) + shapes, has_query),
        "consecutive_calls": is_call & _is_chain(request, ns, is_call),
        "large_payloads": sizes >= limits.LARGE_BYTES,
        "chatty_calls": (is_call & has_host) & (_counted(request, is_call & has_host) >= limits.LEAST_CHATTY),
        "retries": _counted(request, is_bad) > 0,
    }
    of_all = {
        "slow_queries": (ns[has_query] >= limits.SLOW_QUERY_NS).any(),
        "slow_calls": (ns[is_call & has_host] >= limits.SLOW_CALL_NS).any(),
        "lock_waits": (ns >= limits.LOCK_NS).any(),
        "queue_waits": ((sent >= 0) & (start - sent >= limits.WAIT_NS)).any(),
        "gaps": (ns[np.isin(kind, _SERVED)] >= limits.GAP_NS).any(),
    }
    return {
        **{name: flags for name, flags in by_itself.items() if flags.any()},
        **{name: None for name, is_possible in of_all.items() if is_possible},
    }


def _numbers(spans: pa.Table, name: str) -> Numbers:
    """A column of numbers, 0 where there is none."""
    numbers: Numbers = pc.fill_null(spans[name], 0).to_numpy()
    return numbers


def _counted(request: Numbers, chosen: Flags) -> Numbers:
    """Of each span, how many chosen ones its request has."""
    return np.bincount(request[chosen], minlength=len(request))[request]


def _are_many(group: Numbers, chosen: Flags) -> Flags:
    """Of each span, whether so many chosen ones are in its group that they may be a loop."""
    groups, counts = np.unique(group[chosen], return_counts=True)
    return np.isin(group, groups[counts >= limits.LEAST_SAME])


def _is_chain(request: Numbers, ns: Numbers, is_call: Flags) -> Flags:
    """Of each span, whether the calls of its request are enough, and long enough."""
    took_ns = np.bincount(request[is_call], ns[is_call], minlength=len(request))[request]
    return (_counted(request, is_call) >= limits.LEAST_CHAIN) & (took_ns >= limits.CHAIN_NS)
