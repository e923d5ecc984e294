"""A call of a function while it is evaluated: its arguments, as each function wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.selectors import Range
from spanglass_server.promql.functions.extended_rates import ALLOWED
from spanglass_server.promql.parsing.nodes import Subquery
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Value, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Call, Expr

_Kind = TypeVar("_Kind", Vector, Scalar, Text, Range)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call at ``steps``. ``evaluate`` gives the value of an expression at steps."""

    query: Query
    node: Call
    steps: Steps
    evaluate: Callable[[Query, Expr, Steps], Value | Range]

    @property
    def size(self) -> int:
        """How many arguments there are."""
        return len(self.node.args)

    def vector(self, place: int) -> Vector:
        """An argument that is an instant vector."""
        return self._argument(place, Vector)

    def scalar(self, place: int, default: float | None = None) -> NDArray[np.float64]:
        """An argument that is a number at each step, or its default."""
        if default is not None and place >= self.size:
            return np.full(self.steps.size, default)
        return self._argument(place, Scalar).values

    def text(self, place: int, default: str | None = None) -> str:
        """An argument that is a string literal, or its default."""
        if default is not None and place >= self.size:
            return default
        return self._argument(place, Text).value

    def range(self, place: int) -> Range:
        """An argument that is a range vector; anchored or smoothed ones are for few functions."""
        range_ = self._argument(place, Range)
        if range_.mode and self.node.function not in ALLOWED[range_.mode]:
            few = ", ".join(ALLOWED[range_.mode])
            raise execution_error(
                f"{range_.mode} modifier can only be used with: {few} - not with {self.node.function}"
            )
        return range_

    def warn(self, message: str, place: int = 0) -> None:
        """Warn about an argument."""
        self.query.notes.warn(message, self._position(place))

    def inform(self, message: str, place: int = 0, details: str = "") -> None:
        """Tell something about an argument."""
        self.query.notes.inform(message, self._position(place), details)

    def _position(self, place: int) -> int:
        """Where an argument begins; Prometheus takes the samples of a subquery for the beginning of the text."""
        arg = self.node.args[place]
        return 0 if isinstance(arg, Subquery) else arg.position

    def _argument(self, place: int, kind: type[_Kind]) -> _Kind:
        value = self.evaluate(self.query, self.node.args[place], self.steps)
        if not isinstance(value, kind):
            raise execution_error(f"argument {place + 1} of {self.node.function} is of a wrong type")
        return value
