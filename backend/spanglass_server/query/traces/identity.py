"""Which spans a trace has: what tells one from another, and which row is a copy of another.

An id alone does not: Zipkin's senders give the client and the server half of a call the same one. A row is a copy only
when it has the same id, kind, service, start and duration; then it was sent twice. Everything that lists, counts or
finds spans decides by these functions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.intrinsics import SPAN_KINDS
from spanglass_server.service_names import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.query.answers import SpanKind

#: What identifies a span within its trace, by name: SQL over ``COLUMNS``.
PARTS = {
    "span_id": "span_id",
    "kind": "coalesce(kind, 0)",
    "service": SERVICE_NAME.text,
    "start_ns": "start_time_ns",
    "duration_ns": "duration_ns",
}
#: Stored columns that identify a span within its trace.
COLUMNS = ("span_id", "kind", SERVICE, "start_time_ns", "duration_ns")
#: Stored columns that name the host whose clock measured a span, and the name.
HOST_COLUMNS = ("resource.host.id:str", "resource.host.name:str")
HOST = Sql("""coalesce(nullif("resource.host.id:str", ''), nullif("resource.host.name:str", ''))""")
#: The identity of a row within its trace as one number, to count by. Of 100 000 spans two have the same by chance once
#: in four billion traces.
IDENTITY = Sql(f"hash({', '.join(PARTS.values())})")
#: The parts of the identity under their names.
SELECTED = Sql(", ".join(f"{text} AS {name}" for name, text in PARTS.items()))
#: How many spans the rows of one trace are.
SPANS = Sql(f"count(DISTINCT {IDENTITY.text})")


class Identity(NamedTuple):
    """What a span has for itself within its trace. ``kind`` is its name, ``service`` the one that is shown."""

    span_id: bytes
    kind: str
    service: str
    start_ns: int
    duration_ns: int

    @property
    def half(self) -> tuple[bytes, str, str]:
        """What a span has from its start on: an announcement of it and its stored row have this in common."""
        return self[:3]


def kind_name(kind: int | None) -> SpanKind:
    """Return the name of a span kind; one that the protocol does not know counts as unspecified."""
    return SPAN_KINDS[kind] if kind is not None and kind < len(SPAN_KINDS) else SPAN_KINDS[0]


def clock_name(host: str | None, service: str) -> str:
    """Name a span's clock: spans of one host share one; without a host, those of one service."""
    return f"host {host}" if host else f"service {service}"


def of_row(row: Mapping[str, Any]) -> Identity:
    """Return the identity of a row that has what is ``SELECTED``."""
    return Identity(row["span_id"], kind_name(row["kind"]), row["service"], row["start_ns"], row["duration_ns"])


def keys(spans: Sequence[Identity]) -> list[str]:
    """Return a short text for each of one trace's spans, none of them copies, that no other has: its id in hex.

    Where several share an id, the kind follows; where several of one kind do, their number by start. So a key does not
    depend on the order in which spans came.
    """
    of_id, of_kind = Counter(span.span_id for span in spans), defaultdict(list)
    for span in spans:
        if of_id[span.span_id] > 1:
            of_kind[span.span_id, span.kind].append(span)
    numbers: dict[Identity, int] = {}
    for alike in of_kind.values():
        by_start = sorted(alike, key=lambda span: (span.start_ns, span.duration_ns, span.service))
        numbers.update({span: number for number, span in enumerate(by_start, 1)} if len(alike) > 1 else {})
    return [_key(span, is_shared=of_id[span.span_id] > 1, number=numbers.get(span)) for span in spans]


def id_in_key(key: str) -> bytes | None:
    """Return the span id that a key begins with, None for a text that is no key."""
    try:
        return bytes.fromhex(key.partition("-")[0])
    except ValueError:
        return None


def _key(span: Identity, *, is_shared: bool, number: int | None) -> str:
    return "-".join(
        [span.span_id.hex(), *([span.kind] if is_shared else []), *([] if number is None else [str(number)])]
    )


def first_of_each(spans: Iterable[Identity]) -> list[int]:
    """Return the places of the spans without those that are copies of an earlier one."""
    seen: dict[Identity, int] = {}
    for place, span in enumerate(spans):
        seen.setdefault(span, place)
    return list(seen.values())
