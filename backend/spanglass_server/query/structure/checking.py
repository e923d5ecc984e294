"""Filters about other spans looked at without storage: whether they can be asked at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language import compile_filter
from spanglass_server.query.language.parts import Part
from spanglass_server.query.language.sql import TRUE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.query.language import Filter
    from spanglass_server.query.language.ast import Related
    from spanglass_server.query.language.sql import Sql


class CheckedRelatives:
    """``Relatives`` that looks at the filters of other spans, and knows none."""

    def related(self, node: Related) -> Part:
        """See ``Relatives``."""
        compile_filter(node.term, Signal.SPANS, (), self)
        return Part(TRUE)

    def of_trace(self, figure: str, condition: Sql) -> Part:  # noqa: ARG002 - the figure is known to be one
        """See ``Relatives``."""
        return Part(TRUE)


def check_filter(tree: Filter, signal: Signal) -> None:
    """Raise ``FilterError`` for a filter that records of a signal cannot be searched by."""
    compile_filter(tree, signal, (), CheckedRelatives())
