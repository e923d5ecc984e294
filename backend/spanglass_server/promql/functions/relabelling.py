"""Functions of labels: label_replace and label_join."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import merged, nonempty
from spanglass_server.promql.series.labels import NAME, UNNAMED, LabelColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.labels import LabelSets
    from spanglass_server.promql.series.vectors import Vector

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>\w+)|\{(?P<braced>\w+)\})", re.ASCII)


def label_replace(call: Invocation) -> Vector:
    """A label set from parts of another one, where that matches a regular expression as a whole."""
    vector = nonempty(call.vector(0))
    target, template, source = call.text(1), call.text(2), call.text(3)
    pattern = _pattern(call.text(4))
    _check_name("label_replace", target)
    column, old = vector.labels.column(source), vector.labels.column(target)
    found = [pattern.fullmatch(value) for value in column.values]
    texts = [_expanded(template, match) if match else "" for match in found]
    matched = np.array([match is not None for match in found], np.bool_)[column.codes]
    values = LabelColumn.of(
        [
            new if hit else kept
            for new, hit, kept in zip(
                (texts[code] for code in column.codes.tolist()), matched.tolist(), old.texts(), strict=True
            )
        ]
    )
    return merged(replace(vector, labels=_kept_name(vector.labels.replace({target: values}), target, matched)))


def _kept_name(labels: LabelSets, target: str, matched: NDArray[np.bool_]) -> LabelSets:
    """The labels; a name that is set here stays, whatever became of the one before."""
    if target != NAME or UNNAMED not in labels.columns:
        return labels
    gone = labels.column(UNNAMED)
    return labels.replace({UNNAMED: LabelColumn(np.where(matched, 0, gone.codes).astype(np.int32), gone.values)})


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!"), re.DOTALL)
    except re.error:
        raise execution_error(f"invalid regular expression in label_replace(): {text}") from None


def _expanded(template: str, match: re.Match[str]) -> str:
    """The template with its references to groups (``$1``, ``${name}``) filled in; unknown ones are empty."""

    def group(reference: re.Match[str]) -> str:
        if reference["dollar"]:
            return "$"
        name = reference["name"] or reference["braced"]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)


def label_join(call: Invocation) -> Vector:
    """A label set to the values of others, with a separator between them."""
    vector = nonempty(call.vector(0))
    target, separator = call.text(1), call.text(2)
    sources = [call.text(place) for place in range(3, call.size)]
    _check_name("label_join", target)
    columns = [vector.labels.column(name).texts() for name in sources]
    joined = [separator.join(row) for row in zip(*columns, strict=True)] if columns else [""] * vector.labels.size
    labels = vector.labels.replace({target: LabelColumn.of(joined)})
    return merged(replace(vector, labels=_kept_name(labels, target, np.ones(labels.size, np.bool_))))


def _check_name(function: str, name: str) -> None:
    if not name:
        raise execution_error(f"invalid destination label name in {function}(): {name}")


CALLS: dict[str, Callable[[Invocation], Vector]] = {"label_join": label_join, "label_replace": label_replace}
