"""The spans of a trace as a table: sorted, found by text, the first rows of it; and its figures by service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spanglass_server.pages.rendering.columns import Spans

#: Rows rendered by the server; script draws all others.
ROWS = 200
#: What spans are sorted by: the fields, or how they are made of the spans.
SORTS: Mapping[str, Callable[[Spans], Sequence[Any]]] = {
    "name": lambda spans: [*zip(_lower(spans), spans.column("service"), strict=True)],
    "service": lambda spans: [*zip(spans.column("service"), _lower(spans), strict=True)],
    "start": lambda spans: spans.column("offset_ns"),
    "duration": lambda spans: spans.column("duration_ns"),
    "self": lambda spans: spans.column("self_time_ns"),
    "critical": lambda spans: spans.critical_ns(),
}
#: Columns that are sorted from their beginning first.
ASCENDING = frozenset({"name", "service", "start"})
#: Columns of the operations of a trace.
OPERATION_SORTS = ("name", "spans", "errors", "duration", "self", "critical", "longest")


def sorting(sort: str, order: str, known: Iterable[str], usual: str) -> tuple[str, bool]:
    """Return what a URL sorts by, and whether from the smallest on."""
    chosen = sort if sort in known else usual
    return chosen, order == "asc" if order in ("asc", "desc") else chosen in ASCENDING


def rows(spans: Spans, sort: str, text: str, *, ascending: bool) -> list[int]:
    """Return the rows in whose service, name, target or message a text is, sorted; equal ones as in the tree."""
    text = text.lower()
    found = [row for row, own in enumerate(_texts(spans)) if text in own] if text else range(len(spans))
    return sorted(found, key=SORTS[sort](spans).__getitem__, reverse=not ascending)


def _texts(spans: Spans) -> Iterator[str]:
    fields = map(spans.column, ("service", "name", "target", "status_message", "key"))
    return ("\n".join(texts).lower() for texts in zip(*fields, strict=True))


def _lower(spans: Spans) -> Iterator[str]:
    return (name.lower() for name in spans.column("name"))


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
