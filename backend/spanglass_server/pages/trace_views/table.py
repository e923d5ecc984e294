"""The spans of a trace as a table: sorted, found by text, the first rows of it; and its figures by service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Span = Mapping[str, Any]

#: Rows rendered by the server; script draws all others.
ROWS = 200
#: What spans are sorted by: how each column is read.
SORTS: Mapping[str, Callable[[Span], Any]] = {
    "name": lambda span: (span["name"].lower(), span["service"]),
    "service": lambda span: (span["service"], span["name"].lower()),
    "start": lambda span: span["offset_ns"],
    "duration": lambda span: span["duration_ns"],
    "self": lambda span: span["self_time_ns"],
    "critical": lambda span: sum(took_ns for _, took_ns in span["critical"]),
}
#: Columns that are sorted from their beginning first.
ASCENDING = frozenset({"name", "service", "start"})
#: Columns of the operations of a trace.
OPERATION_SORTS = ("name", "spans", "errors", "duration", "self", "critical", "longest")


def sorting(sort: str, order: str, known: Iterable[str], usual: str) -> tuple[str, bool]:
    """Return what a URL sorts by, and whether from the smallest on."""
    chosen = sort if sort in known else usual
    return chosen, order == "asc" if order in ("asc", "desc") else chosen in ASCENDING


def spans(trace: Mapping[str, Any], sort: str, text: str, *, ascending: bool) -> list[Span]:
    """Return the spans in whose service, name, target or message a text is, sorted; equal ones as in the tree."""
    text = text.lower()
    found = [span for span in trace["spans"] if not text or text in _texts(span)]
    return sorted(found, key=SORTS[sort], reverse=not ascending)


def _texts(span: Span) -> str:
    return "\n".join((span["service"], span["name"], span["target"], span["status_message"], span["key"])).lower()


def operations(paths: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of a trace by operation, wherever it was called from."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in paths:
        step = path["service"], path["name"], path["target"]
        one = found.setdefault(step, {**path, **dict.fromkeys(_SUMS, 0), "longest_ns": -1})
        for name in _SUMS:
            one[name] += path[name]
        if path["longest_ns"] > one["longest_ns"]:
            one["longest_ns"], one["longest"] = path["longest_ns"], path["longest"]
    return list(found.values())


def services(trace: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of a trace by service, the one that took the most time by itself first."""
    waited: dict[str, int] = {}
    operations_of: dict[str, int] = {}
    for one in found:
        waited[one["service"]] = waited.get(one["service"], 0) + one["critical_ns"]
        operations_of[one["service"]] = operations_of.get(one["service"], 0) + 1
    whole_ns = sum(service["self_time_ns"] for service in trace["services"]) or 1
    return sorted(
        (
            {**service, "critical_ns": waited.get(service["service"], 0), "share": service["self_time_ns"] / whole_ns,
             "operations": operations_of.get(service["service"], 0)}
            for service in trace["services"]
        ),
        key=lambda service: -service["self_time_ns"],
    )  # fmt: skip


def in_order(found: Iterable[dict[str, Any]], sort: str, *, ascending: bool) -> list[dict[str, Any]]:
    """Sort operations by a column of ``OPERATION_SORTS``."""
    field = {"duration": "duration_ns", "self": "self_time_ns", "critical": "critical_ns", "longest": "longest_ns"}
    key = field.get(sort, sort)
    return sorted(found, key=lambda one: one[key].lower() if key == "name" else one[key], reverse=not ascending)


#: Figures of paths that add up.
_SUMS = ("spans", "errors", "duration_ns", "self_time_ns", "critical_ns")
