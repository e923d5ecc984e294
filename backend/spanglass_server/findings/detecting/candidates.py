"""Which detectors may find anything in some spans: each costs 10 ms, and in a healthy minute most find nothing."""

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


def candidates(spans: pa.Table) -> list[str]:
    """Return the names of detectors that may find something in a table of ``read_spans``."""
    ns, kind, request = (_numbers(spans, name) for name in ("ns", "kind", "request"))
    start, sent = (_numbers(spans, name) for name in ("start_ns", "sent_ns"))
    has_query, has_host = (spans[name].is_valid().to_numpy() for name in ("shape", "host"))
    is_call = (kind == _CLIENT) & ~has_query
    sizes = np.maximum(_numbers(spans, "received"), _numbers(spans, "sent"))
    is_bad = spans["failed"].to_numpy() | (_numbers(spans, "resend") > 0)
    may = {
        "repeated_queries": _most(request, has_query) >= limits.LEAST_SAME,
        "consecutive_calls": _is_chain(request, ns, is_call),
        "slow_queries": (ns[has_query] >= limits.SLOW_QUERY_NS).any(),
        "slow_calls": (ns[is_call & has_host] >= limits.SLOW_CALL_NS).any(),
        "large_payloads": (sizes >= limits.LARGE_BYTES).any(),
        "chatty_calls": _most(request, is_call & has_host) >= limits.LEAST_CHATTY,
        "lock_waits": (ns >= limits.LOCK_NS).any(),
        "retries": is_bad.any(),
        "queue_waits": ((sent >= 0) & (start - sent >= limits.WAIT_NS)).any(),
        "gaps": (ns[np.isin(kind, _SERVED)] >= limits.GAP_NS).any(),
    }
    return [name for name, is_possible in may.items() if is_possible]


def _numbers(spans: pa.Table, name: str) -> Numbers:
    """A column of numbers, 0 where there is none."""
    numbers: Numbers = pc.fill_null(spans[name], 0).to_numpy()
    return numbers


def _most(request: Numbers, chosen: Flags) -> int:
    """The most chosen spans in one request."""
    return int(np.bincount(request[chosen]).max(initial=0))


def _is_chain(request: Numbers, ns: Numbers, is_call: Flags) -> bool:
    """Whether the calls of any request are enough, and long enough."""
    of_calls = request[is_call]
    enough = np.bincount(of_calls) >= limits.LEAST_CHAIN
    return bool((enough & (np.bincount(of_calls, ns[is_call]) >= limits.CHAIN_NS)).any())
