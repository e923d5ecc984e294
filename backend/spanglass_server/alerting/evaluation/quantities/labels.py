"""Keys as people write them, as labels of series; and conditions on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import quoted, unquoted
from spanglass_server.measures.grammar import LABELS
from spanglass_server.promql.stored.naming.names import is_plain_label, label_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: ``by (all)``: one key over everything.
ALL = "all"
#: Words of the filter language for what every span has.
_OF_RECORDS = {**LABELS, "name": "span_name", "kind": "span_kind", "status": "status_code"}
_MATCHER = re.compile(r'("(?:\\.|[^"\\])*"|[^"=!]+)(=~|!~|!=|=)(".*")', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Matched:
    """A condition on a label, as PromQL has it."""

    label: str
    operator: str
    value: str

    @property
    def text(self) -> str:
        """PromQL of it."""
        name = self.label if is_plain_label(self.label) else quoted(self.label)
        return f"{name}{self.operator}{quoted(self.value)}"

    @property
    def is_fixed(self) -> bool:
        """Whether only one value fits, which a series has to have."""
        return self.operator == "=" and self.value != ""


def grouped(keys: Sequence[str], *, of_records: bool = False, words: bool = True) -> tuple[str, ...]:
    """The labels to group by: short words, attributes with dots or underscores; none for ``all``.

    Without ``words`` they are labels as they are.
    """
    if tuple(keys) == (ALL,):
        return ()
    return tuple(dict.fromkeys(_label(key, of_records=of_records) if words else key for key in keys))


def matched(conditions: Iterable[str], *, words: bool = True) -> tuple[Matched, ...]:
    """Conditions as they are written; with ``words`` keys may be short words and have dots."""
    found = []
    for text in conditions:
        parts = _MATCHER.fullmatch(text)
        assert parts is not None, text  # noqa: S101 - the grammar says so
        key = unquoted(parts[1]) if parts[1].startswith('"') else parts[1]
        found.append(Matched(_label(key) if words else key, parts[2], unquoted(parts[3])))
    return tuple(found)


def _label(key: str, *, of_records: bool = False) -> str:
    return (_OF_RECORDS if of_records else LABELS).get(key) or label_name(key)
