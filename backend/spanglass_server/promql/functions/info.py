"""The function info: labels of info metrics, such as ``target_info``, for the series of the same job and instance."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import concat, masked, merged, nonempty, occupied, take
from spanglass_server.promql.evaluation.operators.matching import counted, match
from spanglass_server.promql.evaluation.selectors import last_samples
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.ports import Matcher
from spanglass_server.promql.series.labels import NAME, LabelColumn, LabelSets
from spanglass_server.promql.series.text import label_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

_IDENTIFYING = ("instance", "job")
_DEFAULT = Matcher(NAME, "=", "target_info")
_MATCHING = nodes.Matching(on=True, labels=_IDENTIFYING)


def info(call: Invocation) -> Vector:
    """Each series with the labels of its info series that it lacks, or those of them that are asked for."""
    base = nonempty(call.vector(0))
    asked = call.node.args[1] if call.size > 1 else None
    matchers = asked.matchers if isinstance(asked, nodes.VectorSelector) else ()
    names = tuple(matcher for matcher in matchers if matcher.name == NAME) or (_DEFAULT,)
    wanted = tuple(matcher for matcher in matchers if matcher.name != NAME)
    selector = nodes.VectorSelector("", (*names, *wanted), position=call.node.position)
    found, time_ms = last_samples(call.query, selector, call.steps)
    labels = {matcher.name for matcher in wanted}
    is_info = _is_named(base, found)
    others = nonempty(_newest(found, time_ms))
    joined = take(base, np.flatnonzero(~is_info))
    enriched = np.zeros(joined.labels.size, np.bool_)
    for name in dict.fromkeys(others.labels.column(NAME).texts()):
        of_name = np.array([text == name for text in others.labels.column(NAME).texts()], np.bool_)
        joined, enriched = _joined(joined, enriched, take(others, np.flatnonzero(of_name)), labels)
    if not all(map(_accepts_nothing, wanted)):
        joined = take(joined, np.flatnonzero(enriched))
    return merged(concat(take(base, np.flatnonzero(is_info)), joined))


def _joined(
    base: Vector, enriched: NDArray[np.bool_], found: Vector, labels: Collection[str]
) -> tuple[Vector, NDArray[np.bool_]]:
    """The base series, each with labels of the info series of its job and instance at each step.

    ``enriched`` says which series have got any label so far.
    """
    base_rows, info_rows = match(base.labels, found.labels, _MATCHING).pairs()
    there = occupied(take(found, info_rows))
    pairs = masked(take(base, base_rows), there)
    added = found.labels.take(info_rows).drop({NAME, *_IDENTIFYING})
    added = added.keep(labels) if labels else added
    alone = counted(there, base_rows, base.labels.size) == 0
    with_labels = replace(pairs, labels=_with_missing(pairs.labels, added))
    gained = enriched[base_rows] | _gained(pairs.labels, added)
    both = concat(masked(base, alone), with_labels)
    filled = np.flatnonzero(occupied(both).any(axis=1))
    return take(both, filled), np.concatenate([enriched, gained])[filled]


def _gained(labels: LabelSets, added: LabelSets) -> NDArray[np.bool_]:
    """Which series get a label that they lack."""
    gained = np.zeros(labels.size, np.bool_)
    for name, column in added.columns.items():
        has_own = np.array([bool(text) for text in labels.column(name).values], np.bool_)[labels.column(name).codes]
        gained |= ~has_own & np.array([bool(text) for text in column.values], np.bool_)[column.codes]
    return gained


def _with_missing(labels: LabelSets, added: LabelSets) -> LabelSets:
    """Labels besides those that a series has already."""
    columns = {}
    for name, column in added.columns.items():
        both = zip(labels.column(name).texts(), column.texts(), strict=True)
        columns[name] = LabelColumn.of([own or other for own, other in both])
    return labels.replace(columns)


def _newest(found: Vector, time_ms: NDArray[np.int64]) -> Vector:
    """Of several info series of one name, job and instance, the one with the newest sample at each step."""
    groups = found.labels.groups((NAME, *_IDENTIFYING))
    if groups.size == found.labels.size:
        return found
    times = np.where(occupied(found), time_ms, np.iinfo(np.int64).min)
    latest = np.full((groups.size, times.shape[1]), np.iinfo(np.int64).min)
    np.maximum.at(latest, groups.of, times)
    newest = masked(found, times == latest[groups.of])
    if (several := counted(occupied(newest), groups.of, groups.size) > 1).any():
        group = int(np.argwhere(several)[0][0])
        rows = found.labels.take(np.flatnonzero(groups.of == group)[:2]).rows()
        raise execution_error(
            f"found duplicate series for info metric: {label_text(rows[0])} and {label_text(rows[1])}"
        )
    return newest


def _is_named(base: Vector, found: Vector) -> NDArray[np.bool_]:
    """Which series are info metrics themselves."""
    names = {value for value in found.labels.column(NAME).texts() if value}
    return np.array([name in names for name in base.labels.column(NAME).texts()], np.bool_)


def _accepts_nothing(matcher: Matcher) -> bool:
    """Whether a series without the label matches."""
    if matcher.operator in ("=", "!="):
        return (matcher.value == "") == (matcher.operator == "=")
    return (re.fullmatch(matcher.value, "") is not None) == (matcher.operator == "=~")


CALLS = {"info": info}
