"""The labels of streams: names translated, job and instance, resource attributes that the expression names."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelColumn, LabelSets
from spanglass_server.promql.stored.naming.names import label_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from numpy.typing import NDArray

JOB, INSTANCE = "job", "instance"
_NAMESPACE, _SERVICE, _ID = "resource.service.namespace", "resource.service.name", "resource.service.instance.id"
#: Labels for what is known of a scope, where the expression names them or series need them.
_SCOPE_LABELS = {"scope_field.name": "otel_scope_name", "scope_field.version": "otel_scope_version"}
#: What tells resources apart first, before any other attribute does.
_TELLING = ("host.name", "k8s.pod.name", "container.id", "process.pid", "host.id", "k8s.pod.uid")


def labels_of(columns: LabelSets, named: Collection[str], *, is_verbatim: bool) -> LabelSets:
    """The labels of streams, without the metric's name. ``named``: labels that the expression names."""
    found: dict[str, list[tuple[str, LabelColumn]]] = defaultdict(list)
    for key, column in _at(columns, "point"):
        found[key if is_verbatim or key in named else label_name(key)].append((key, column))
    labels = {name: _joined(several) for name, several in found.items() if name}
    labels |= dict(_at(columns, "label"))
    if is_verbatim:
        return LabelSets(columns.size, labels)
    labels |= _of_service(columns)
    for name, column in named_labels(columns, named).items():
        labels[name] = _where_absent(labels[name], column) if name in labels else column
    return LabelSets(columns.size, labels)


def named_labels(columns: LabelSets, named: Collection[str]) -> dict[str, LabelColumn]:
    """Labels for attributes of resource and scope that the expression names, by translated or original name."""
    if not named:
        return {}
    return {
        name: column
        for column_name, column in columns.columns.items()
        for name in set(_names_of(column_name)).intersection(named)
    }


def resource_labels(columns: LabelSets) -> LabelSets:
    """Job, instance, and all other attributes of resources: the labels of ``target_info``."""
    found: dict[str, list[tuple[str, LabelColumn]]] = defaultdict(list)
    for key, column in _at(columns, "resource"):
        if f"resource.{key}" not in {_NAMESPACE, _SERVICE, _ID}:
            found[label_name(key)].append((key, column))
    others = {name: _joined(several) for name, several in found.items() if name}
    return LabelSets(columns.size, others | _of_service(columns))


def telling(columns: LabelSets, labels: LabelSets) -> dict[str, LabelColumn]:
    """Labels that tell series apart whose label sets are equal, as few as do; {} if nothing does."""
    added: dict[str, LabelColumn] = {}
    groups = labels.groups().size
    for column_name in sorted(columns.columns, key=_rank):
        name = next(iter(_names_of(column_name)), "")
        if not name or name in labels.columns or name in added:
            continue
        more = {**added, name: columns.columns[column_name]}
        size = labels.replace(more).groups().size
        if size > groups:
            added, groups = more, size
        if groups == labels.size:
            break
    return added


def _rank(column_name: str) -> tuple[int, int, str]:
    position, _, key = column_name.partition(".")
    place = (
        ("resource", "scope_field", "scope").index(position) if position in {"resource", "scope_field", "scope"} else 9
    )
    return (place, _TELLING.index(key) if key in _TELLING else len(_TELLING), key)


def _names_of(column_name: str) -> tuple[str, ...]:
    """The label of an attribute of a resource or scope, and its original name; none for others."""
    if column_name in _SCOPE_LABELS:
        return (_SCOPE_LABELS[column_name],)
    position, _, key = column_name.partition(".")
    if position == "resource":
        return (label_name(key), key)
    return (f"otel_scope_{label_name(key)}",) if position == "scope" else ()


def _at(columns: LabelSets, position: str) -> Iterator[tuple[str, LabelColumn]]:
    for name, column in columns.columns.items():
        at, _, key = name.partition(".")
        if at == position:
            yield key, column


def _of_service(columns: LabelSets) -> dict[str, LabelColumn]:
    """Job and instance, where the resource says what they are."""
    labels = {}
    if _SERVICE in columns.columns:
        job = columns.columns[_SERVICE]
        if _NAMESPACE in columns.columns:
            job = _combined(columns.columns[_NAMESPACE], job, _with_namespace)
        labels[JOB] = job
    if _ID in columns.columns:
        labels[INSTANCE] = columns.columns[_ID]
    return labels


def _with_namespace(namespace: str, service: str) -> str:
    return f"{namespace}/{service}" if namespace and service else service


def _joined(several: list[tuple[str, LabelColumn]]) -> LabelColumn:
    """The values of attributes whose names become one label, by the order of their keys."""
    first, *others = (column for _, column in sorted(several, key=lambda pair: pair[0]))
    for other in others:
        first = _combined(first, other, lambda left, right: ";".join(filter(None, (left, right))))
    return first


def _where_absent(first: LabelColumn, second: LabelColumn) -> LabelColumn:
    return _combined(first, second, lambda left, right: left or right)


def _combined(left: LabelColumn, right: LabelColumn, join: Callable[[str, str], str]) -> LabelColumn:
    """A column computed from two, once for each pair of values that there is."""
    pairs = left.codes.astype(np.int64) * len(right.values) + right.codes
    distinct, of = np.unique(pairs, return_inverse=True)
    texts = [
        join(left.values[pair // len(right.values)], right.values[pair % len(right.values)])
        for pair in distinct.tolist()
    ]
    column = LabelColumn.of(texts)
    codes: NDArray[np.int32] = column.codes[of]
    return LabelColumn(codes, column.values)
