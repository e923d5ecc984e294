"""The function info: labels of info metrics, such as ``target_info``, for the series of the same job and instance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import concat, masked, merged, nonempty, occupied, take
from spanglass_server.promql.evaluation.matching import counted, match
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
    needs_info = any(not _accepts_nothing(matcher) for matcher in wanted)
    is_info = _is_named(base, found)
    others = nonempty(_newest(found, time_ms))
    joined = _joined(take(base, np.flatnonzero(~is_info)), others, labels, needs_info=needs_info)
    return merged(concat(take(base, np.flatnonzero(is_info)), joined))


def _joined(base: Vector, found: Vector, labels: Collection[str], *, needs_info: bool) -> Vector:
    """The base series, each with labels of the info series of its job and instance at each step."""
    groups = match(base.labels, found.labels, _MATCHING)
    base_rows, info_rows = groups.pairs()
    there = occupied(take(found, info_rows))
    pairs = masked(take(base, base_rows), there)
    added = found.labels.take(info_rows).drop({NAME, *_IDENTIFYING})
    added = added.keep(labels) if labels else added
    enriched = replace(pairs, labels=_with_missing(pairs.labels, added))
    alone = counted(there, base_rows, base.labels.size) == 0
    if needs_info:
        return nonempty(enriched)
    return concat(nonempty(masked(base, alone)), nonempty(enriched))


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
    return {"=": matcher.value == "", "!=": matcher.value != ""}.get(matcher.operator, False)


CALLS = {"info": info}
