"""Where the time of a trace went: to which query or operation, and how often it was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.query.answers import Nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: To be called the reason, like spans must hold this share of all self time together, and a single span this one.
NOTABLE_SHARE, NOTABLE_ALONE = 0.3, 0.6
#: The same statement so often in one trace is worth a word from this share on: each is a round trip that could be one.
REPEATED, NOTABLE_REPEATED = 10, 0.1
#: Where the text of a query stands: today's convention, and the one before.
STATEMENTS = ("db.query.text", "db.statement")
MOST_STATEMENT = 240  # characters of a query in a sentence


class TimeSpent(TypedDict):
    """What held most of a trace's time: ``name`` is the text of a query if ``query``, else the name of a span.

    ``repeated``: the query was called so often that calling it less is what mends the trace. ``share`` is of the time
    in which spans waited for no others.
    """

    service: str
    name: str
    query: bool
    repeated: bool
    self_ns: Nanoseconds
    count: int
    share: float


def time_spent(trace: Mapping[str, Any]) -> TimeSpent | None:
    """Where most of the trace's time went: the group of like spans with the largest self time, if it is notable."""
    return most_of((span["service"], span["name"], statement(span), span["self_time_ns"]) for span in trace["spans"])


def most_of(spans: Iterable[tuple[str, str, str, int]]) -> TimeSpent | None:
    """Say the same of spans of which service, name, statement and self time are given."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for service, name, query, self_time_ns in spans:
        group = groups.setdefault((service, name, query), [0, 0])
        group[0] += self_time_ns
        group[1] += 1
    whole_ns = sum(group[0] for group in groups.values())
    if len(groups) < 2 or not whole_ns:  # noqa: PLR2004 - one group is the whole trace, and says nothing
        return None
    # a repeated query comes first: whatever else takes longer, that is what can be mended
    by_need = sorted(groups.items(), key=lambda item: (_repeated(item, whole_ns), item[1][0]), reverse=True)
    (service, name, query), (self_ns, count) = by_need[0]
    share, repeated = self_ns / whole_ns, _repeated(by_need[0], whole_ns)
    if not repeated and share < (NOTABLE_SHARE if count > 1 else NOTABLE_ALONE):
        return None
    what = query if len(query) <= MOST_STATEMENT else f"{query[:MOST_STATEMENT]}\u2026"
    return {"service": service, "name": what or name, "query": bool(query), "repeated": repeated, "self_ns": self_ns,
            "count": count, "share": share}  # fmt: skip


def _repeated(item: tuple[tuple[str, str, str], list[int]], whole_ns: int) -> bool:
    (_, _, query), (self_ns, count) = item
    return bool(query) and count >= REPEATED and self_ns >= NOTABLE_REPEATED * whole_ns


def statement(span: Mapping[str, Any]) -> str:
    """Return the text of a span's query on one line, empty for spans that have none."""
    found = next((span["attributes"][key] for key in STATEMENTS if span["attributes"].get(key)), "")
    return " ".join(str(found).split())
