"""Matchers on labels, evaluated once for each value of a label and not for each series.

Regular expressions are RE2's, run by DuckDB. It takes a millisecond for each statement, so those that mean the same to
Python, and can't take long there, are left to it: lists of values, a few dots and classes of characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.regex import regex_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import Matcher
    from spanglass_server.promql.series.labels import LabelSets
    from spanglass_server.store.ports import QuerySession

#: Texts joined by ``|``, without anything that is special in a regular expression.
_LISTED = re.compile(r"[^\\.+*?()\[\]{}^$|]*(\|[^\\.+*?()\[\]{}^$|]*)*")
#: Texts, ``5..``, ``api-.*``, ``[0-9]``, and such joined by ``|``; nothing is repeated but a dot.
_SIMPLE = re.compile(r"(?:[\w /:@,;=&%#~-]|\\[.dw-]|\[[0-9A-Za-z_-]+\]|\.[*+]?|\|)*")
_REPEATED_MAX = 3
_ANY: dict[str, Callable[[str], bool]] = {".*": lambda _: True, ".+": bool}


def matching(session: QuerySession, labels: LabelSets, matchers: Iterable[Matcher]) -> NDArray[np.bool_]:
    """Which series have labels for which all matchers hold."""
    found = np.ones(labels.size, np.bool_)
    for matcher in matchers:
        column = labels.columns.get(matcher.name)
        if column is None:
            if not accepted(session, matcher, [""])[0]:
                return np.zeros(labels.size, np.bool_)
        else:
            found &= column.matching(accepted(session, matcher, column.values))
    return found


def accepted(session: QuerySession, matcher: Matcher, values: Sequence[str]) -> NDArray[np.bool_]:
    """For which of the values a matcher holds."""
    is_negative = matcher.operator.startswith("!")
    if matcher.operator in {"=", "!="}:
        holds = np.fromiter((value == matcher.value for value in values), np.bool_, len(values))
    else:
        holds = _expression(session, matcher.value, values)
    return ~holds if is_negative else holds


def _expression(session: QuerySession, pattern: str, values: Sequence[str]) -> NDArray[np.bool_]:
    if pattern in _ANY:
        return np.fromiter(map(_ANY[pattern], values), np.bool_, len(values))
    if _LISTED.fullmatch(pattern):
        listed = set(pattern.split("|"))
        return np.fromiter((value in listed for value in values), np.bool_, len(values))
    reason = regex_problem(pattern)
    if not reason and _SIMPLE.fullmatch(pattern) and pattern.count("*") + pattern.count("+") <= _REPEATED_MAX:
        is_match = re.compile(pattern, re.DOTALL | re.ASCII).fullmatch
        return np.fromiter((is_match(value) is not None for value in values), np.bool_, len(values))
    if reason:
        raise BadQuestionError(
            f"error parsing regexp: {reason}",
            field="query",
            hint="The syntax is RE2: no look-around, no back-references; escape special characters with a backslash.",
        )
    name = session.table(pa.table({"value": pa.array(values, pa.string())}))
    table = session.execute(f"SELECT regexp_full_match(value, ?, 's') AS holds FROM {name}", [pattern])  # noqa: S608
    return table["holds"].to_numpy()  # type: ignore[no-any-return]
