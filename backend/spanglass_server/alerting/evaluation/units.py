"""Units of quantities and of the numbers they are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.evaluation.problems import RuleProblem

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Number

#: Units of senders (UCUM, and words of Prometheus) as base units, with the factor that brings values to them. ``1`` is
#: none of them: senders give it to shares and to counts alike.
_BASE = {
    "s": ("s", 1.0), "ms": ("s", 1e-3), "us": ("s", 1e-6), "ns": ("s", 1e-9), "min": ("s", 60.0), "h": ("s", 3600.0),
    "d": ("s", 86_400.0), "seconds": ("s", 1.0), "milliseconds": ("s", 1e-3), "microseconds": ("s", 1e-6),
    "By": ("bytes", 1.0), "bytes": ("bytes", 1.0), "KiBy": ("bytes", 2.0**10), "MiBy": ("bytes", 2.0**20),
    "GiBy": ("bytes", 2.0**30), "TiBy": ("bytes", 2.0**40), "kBy": ("bytes", 1e3), "KBy": ("bytes", 1e3),
    "MBy": ("bytes", 1e6), "GBy": ("bytes", 1e9), "TBy": ("bytes", 1e12),
    "ratio": ("ratio", 1.0), "%": ("ratio", 0.01), "percent": ("ratio", 0.01), "By/s": ("bytes/s", 1.0),
}  # fmt: skip
_WORDS = {"s": "seconds", "bytes": "bytes", "ratio": "a share of 1", "/s": "a rate", "bytes/s": "bytes a second"}
_EXAMPLES = {"s": "500ms or 2s", "bytes": "1GB", "ratio": "90%", "/s": "100/s", "bytes/s": "10MB/s", "": "100"}
#: Larger numbers without a unit are no shares.
_LARGEST_SHARE = 1.0


def base_unit(sent: str) -> tuple[str | None, float]:
    """The base unit of a unit of senders, None if there is none, and the factor to it."""
    if "{" in sent:  # an annotation: {request}, {thread}
        return ("/s" if sent.endswith("/s") else ""), 1.0
    return _BASE.get(sent, (None, 1.0))


def a_second(unit: str | None) -> str | None:
    """The unit of the rate of something."""
    return {"bytes": "bytes/s", "": "/s", "s": "ratio"}.get(unit) if unit is not None else None


def check(unit: str | None, number: Number, what: str) -> str:
    """What is to be warned of where a number is compared with a quantity; "" for nothing.

    Raises ``RuleProblem`` if the number is of something else.
    """
    if unit is None:
        return ""
    if number.unit == unit:
        return ""
    if number.unit:
        is_in = f"is {_WORDS[unit]}" if unit else "is a plain number"
        message = f"{what} {is_in}, and this number is {_WORDS[number.unit]}"
        raise RuleProblem(message, number.column, f"write it as {_EXAMPLES.get(unit, '100')}")
    if unit == "ratio" and abs(number.value) > _LARGEST_SHARE:
        message = f"{what} is a share of 1, which {number.value:g} is not"
        raise RuleProblem(message, number.column, f"write {number.value:g}%")
    if unit in ("s", "bytes", "bytes/s"):
        return f"{number.value:g} is taken as {_WORDS[unit]}: write a unit, such as {_EXAMPLES[unit]}"
    return ""


def check_level(unit: str | None, number: float, name: str, what: str) -> None:
    """Refuse a level of a rule that is no share where one is meant; levels are in base units."""
    if unit == "ratio" and abs(number) > _LARGEST_SHARE:
        raise RuleProblem(f"{name}: {what} is a share of 1, which {number:g} is not", 0, f"write {number:g}%")


def combined(operator: str, left: str | None, right: str | None, column: int) -> str | None:
    """The unit of two values computed with each other; plain numbers have ""."""
    if left is None or right is None:
        return None
    if operator in ("+", "-"):
        if left != right and left and right:
            message = f"{_WORDS[left]} and {_WORDS[right]} can't be {'added' if operator == '+' else 'subtracted'}"
            raise RuleProblem(message, column, "compute with quantities of one unit")
        return left or right
    if operator == "*":
        return left or right if not (left and right) else None
    return left if not right else None  # of one unit: a share, or how many times as much
