"""Kinds of values that only objectives have; see ``Kind``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_PERCENT: Final = 100
#: At less a budget means nothing; at more there is none.
_LEAST, _MOST = Decimal(50), Decimal("99.9999")
_HINT: Final = "write a percentage from 50% to 99.9999%, such as 99.9%"


class Target:
    """A percentage such as ``99.9%``, as a share; a number up to 1 is a share already, a larger one a percentage."""

    schema: Final = {"type": "string", "examples": ["99.9%"]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort not in {"text", "number"}:
            report.add(node, "expected a percentage", _HINT)
            return FAILED
        text = node.text.strip()
        try:
            value = Decimal(text.removesuffix("%").strip())
        except InvalidOperation:
            report.add(node, f"{text!r} is no percentage", _HINT)
            return FAILED
        is_share = value.is_finite() and 0 < value <= 1 and not text.endswith("%")
        percent = value * _PERCENT if is_share else value
        if not (percent.is_finite() and _LEAST <= percent <= _MOST):  # a NaN can't be compared
            report.add(node, f"{text!r} is no target", _HINT)
            return FAILED
        return float(percent / _PERCENT)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return percent_text(value)


def percent_text(share: float) -> str:
    """A target as it is written: ``99.9%``."""
    return f"{(Decimal(repr(round(share, 12))) * _PERCENT).normalize():f}%"
