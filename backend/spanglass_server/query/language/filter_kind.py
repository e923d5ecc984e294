"""Filters as a kind of value in what people write: policies of retention, objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.forms.kinds import FAILED, Text
from spanglass_server.query.errors import FilterError
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report


class Filter(Text):
    """A filter of spans, in the filter language."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED or not text.strip():
            return text
        try:
            compile_filter(parse_filter(text), Signal.SPANS, frozenset())
        except FilterError as error:
            hint = error.hint or (f"expected {', '.join(error.expected)}" if error.expected else "")
            report.add(node, f"{error.message}, at character {error.column} of the filter", hint)
            return FAILED
        return text.strip()
