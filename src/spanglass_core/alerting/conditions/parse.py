"""Conditions of alert rules as people write them: ``error_rate > 5%``, ``p95(response_time) by (route) > 2s``."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import builder
from spanglass_core.alerting.conditions.nodes import parts
from spanglass_core.alerting.conditions.problems import ConditionError

if TYPE_CHECKING:
    from lark import Lark

    from spanglass_core.alerting.conditions.nodes import Condition, Node

#: A text longer than that is no condition that anybody reads.
MAX_LENGTH = 10_000
#: So that no walk over a condition meets the interpreter's limit of recursion.
MAX_DEPTH = 60
#: Conditions that are kept parsed: every rule of a server, and what is typed.
KEPT = 4_096


@lru_cache(KEPT)
def parse_condition(text: str) -> Condition:
    """Read a condition. Raises ``ConditionError`` with the place and what was probably meant.

    The same text gives the same object. The first call imports the parser (30 ms).
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(
            f"the condition is longer than {MAX_LENGTH} characters", MAX_LENGTH + 1, "make it two rules"
        )
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - applications that have no rules do without

    try:
        condition: Condition = parser().parse(text)  # type: ignore[assignment] # made by building.py
    except UnexpectedInput as error:
        from spanglass_core.alerting.conditions.diagnosing import diagnosed  # noqa: PLC0415 - for those who mistype

        raise diagnosed(text, error) from None
    _check_depth(condition)
    return condition


@cache
def parser() -> Lark:
    """The parser, which makes nodes as it reads."""
    from lark import Lark  # noqa: PLC0415

    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="basic",
        transformer=builder(),
        maybe_placeholders=False,
    )


def _check_depth(condition: Condition) -> None:
    waiting: list[tuple[Node, int]] = [(condition, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            message = f"the condition is nested more than {MAX_DEPTH} deep"
            raise ConditionError(message, node.column, "make it several rules")
        waiting.extend((part, depth + 1) for part in parts(node))
