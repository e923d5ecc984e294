"""Kinds of values that Prometheus' files have: expressions, and durations with days and years."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.alerting.rules.form.kinds import report_within
from spanglass_server.forms.kinds import FAILED, Duration, Text
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_YEARS = re.compile(r"(\d+)y")
_DAYS_A_YEAR = 365
#: The place within the expression, which is told as one of the file.
_PLACE = re.compile(r"^\d+:\d+: ")


class Expression:
    """PromQL that gives a number or an instant vector."""

    schema: Final = {"type": "string", "examples": ["up == 0"]}

    def __init__(self) -> None:
        self._text = Text(may_be_empty=False)

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = self._text.read(node, report)
        if text is FAILED:
            return FAILED
        text = text.strip()
        try:
            expr = parse(text)
        except PromqlError as error:
            line, column = error.position or (1, 0)
            message = _PLACE.sub("", error.message) if line == 1 and node.text_column else error.message
            report_within(node, report, column if line == 1 else 0, message, "")
            return FAILED
        if isinstance(expr, nodes.MatrixSelector | nodes.Subquery | nodes.String):
            report.add(node, "the expression gives no number", "put the range into a function, such as rate(...)")
            return FAILED
        return text

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return self._text.write(value, full=full)


class PrometheusDuration(Duration):
    """A duration such as ``5m``, ``1d`` or ``1y``; a plain 0 is none."""

    def __init__(self) -> None:
        super().__init__(may_be_off=True, none="0s")

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        in_days = _YEARS.sub(lambda found: f"{int(found[1]) * _DAYS_A_YEAR}d", node.text)
        return super().read(replace(node, text=in_days), report)
