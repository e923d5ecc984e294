"""What binary operators tell of cells that they cannot combine, or not without loss."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Binary


class Trouble(IntEnum):
    """What may be told of a cell; the first four: the operator is not for such operands."""

    NONE = 0
    FLOATS = 1
    FLOAT_HISTOGRAM = 2
    HISTOGRAM_FLOAT = 3
    HISTOGRAMS = 4
    LAYOUTS = 5
    RESETS = 6
    BOUNDS = 7


_OPERANDS = {
    Trouble.FLOATS: ("float", "float"),
    Trouble.FLOAT_HISTOGRAM: ("float", "histogram"),
    Trouble.HISTOGRAM_FLOAT: ("histogram", "float"),
    Trouble.HISTOGRAMS: ("histogram", "histogram"),
}
_NAMES = {"+": "addition", "-": "subtraction"}


def tell(query: Query, node: Binary, troubles: NDArray[np.int8]) -> None:
    """Tell of the last trouble at each step, as Prometheus does; ``troubles`` has the shape (n, m)."""
    if not troubles.any():
        return
    last = len(troubles) - 1 - (troubles[::-1] != 0).argmax(axis=0)
    for code in np.unique(troubles[last, np.arange(troubles.shape[1])]).tolist():
        trouble = Trouble(code)
        if trouble in _OPERANDS:
            left, right = _OPERANDS[trouble]
            message = f'incompatible sample types encountered for binary operator "{node.op}"'
            query.notes.inform(f"{message}: {left} {node.op} {right}", node.position)
        elif trouble == Trouble.LAYOUTS:
            query.notes.warn(f"incompatible bucket layout encountered for binary operator {node.op}", node.position)
        elif trouble == Trouble.RESETS:
            query.notes.warn(f"conflicting counter resets during histogram {_NAMES[node.op]}", node.position)
        elif trouble == Trouble.BOUNDS:
            query.notes.inform(f"mismatched custom buckets were reconciled during {_NAMES[node.op]}", node.position)
