"""From what the parser did not expect to what was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.numbers import unit_hint
from spanglass_core.alerting.conditions.problems import ConditionError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lark.exceptions import UnexpectedInput

_OPERATORS = "> >= < <= == !="
#: Words that people write for comparisons.
_COMPARING = {
    **dict.fromkeys(("over", "above", "exceeds", "exceed", "greater", "more", "gt", "higher", "larger"), ">"),
    **dict.fromkeys(("below", "under", "less", "lower", "lt", "smaller", "fewer"), "<"),
    **dict.fromkeys(("equals", "equal", "is", "eq"), "=="),
    **dict.fromkeys(("gte", "ge"), ">="),
    **dict.fromkeys(("lte", "le"), "<="),
}
#: Signs of other languages, the longest first.
_SIGNS = {
    "===": "==",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "&&": "and",
    "||": "or",
    "=": "==",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "\u00d7": "*",
    "÷": "/",
    "\u2212": "-",
    "&": "and",
    "|": "or",
    "!": "not",
}
_OVER = re.compile(r"\bover\s+([0-9.]+\S*)$")
_FIRST = re.compile(r"[A-Za-z_][\w.:]*|\S")
_ONE_NUMBER = re.compile(r"[-+(\s]*(?:[0-9]|\.[0-9])[\w.%µ/\s]*\)*\s*")

#: What the names of the grammar's terminals mean, in the order in which they are told of.
_PLAIN = (
    ({"EVENT", "ABSENT", "PRESENT", "NOT"}, "a condition"),
    ({"NAME", "NUMBER", "PROMQL", "USUAL", "FORECAST"}, "a measure, a metric or a number"),
    ({"COMPARISON"}, "a comparison"),
    ({"_AND", "_OR"}, "and, or"),
    ({"EQUALS", "MATCH"}, "= != =~ or !~"),
    ({"STRING"}, "a text in quotes"),
    ({"RPAR"}, "a closing bracket )"),
    ({"RBRACE"}, "a closing brace }"),
    ({"LPAR"}, "an opening bracket ("),
    ({"COMMA"}, "a comma"),
    ({"$END"}, "the end"),
)


def diagnosed(text: str, error: UnexpectedInput) -> ConditionError:
    """The error for what the parser could not read."""
    from lark.exceptions import UnexpectedToken  # noqa: PLC0415 - the parser is imported only when used

    if isinstance(error, UnexpectedToken):
        is_end = error.token.type == "$END"
        at = len(text.rstrip()) if is_end else error.token.start_pos or 0
        return _of_token(text, at, "$END" if is_end else error.token.type, set(error.accepts or error.expected))
    return _of_character(text, error.pos_in_stream or 0)


def _of_character(text: str, at: int) -> ConditionError:
    character = text[at]
    if character in "\"'`":
        return ConditionError("the quote that begins here is never closed", at + 1, f"end the text with {character}")
    if character == "[":
        return ConditionError("ranges in brackets are PromQL", at + 1, 'write over 5m, or promql("...[5m]...")')
    if character == "$":
        return ConditionError("there are no variables in conditions", at + 1, "write the value itself")
    if character.isalpha():  # of another alphabet than names have here
        hint = "write promql(\"{'the.name'}\"), where a name may have any letter"
        return ConditionError(f"{character} can't stand in a name", at + 1, hint)
    written = next((each for each in _SIGNS if text.startswith(each, at)), character)
    return ConditionError(f"{written} means nothing here", at + 1, _sign_hint(text, at))


def _of_token(text: str, at: int, kind: str, accepted: AbstractSet[str]) -> ConditionError:
    column = at + 1
    match = _FIRST.match(text, at)
    word = match[0] if match else ""
    if "COMPARISON" in accepted:
        return _no_comparison(text, at, word, kind)
    found = f"{word} can't stand here" if word else "the condition ends too early"
    if {"NAME", "NUMBER"} <= accepted:
        return _no_operand(text, at, word, kind, accepted)
    if accepted == {"NUMBER"}:
        before = text[:at].rsplit(maxsplit=1)[-1]
        return ConditionError(f"{before} takes a duration", column, f"for example {before} 5m")
    if "$END" in accepted and kind in {"COMPARISON", "NOT_EQUAL", "EQUALS"}:
        hint = "join two comparisons by and: x > 1 and x < 5"
        return ConditionError("what is compared already can't be compared again", column, hint)
    if "$END" in accepted and word:
        return ConditionError(found, column, _after_hint(word, text[:at]) or _expected(accepted))
    return ConditionError(found, column, _sign_hint(text, at) or _expected(accepted))


def _no_comparison(text: str, at: int, word: str, kind: str) -> ConditionError:
    """A value without the comparison that makes it a condition."""
    before = text[:at].strip()
    column = at + 1
    written = next((each for each in _SIGNS if text.startswith(each, at)), "")
    operator = _SIGNS.get(written) or _COMPARING.get(word.lower(), "")
    if operator:
        return ConditionError(f"{written or word} is no comparison", column, f"write {operator}")
    if _ONE_NUMBER.fullmatch(before):
        return _number_alone(before, column, word)
    if kind in {"$END", "_AND", "_OR", "RPAR"}:
        over = _OVER.search(before)
        hint = f"for example {before.split()[-1]} > 5"
        if over is not None:
            hint = f"over is the time that is looked at; for more than that write > {over[1]}"
        return ConditionError("a comparison is missing", column, hint)
    message = "a comparison is missing before the number" if kind == "NUMBER" else f"{word} can't stand here"
    return ConditionError(message, column, f"a comparison is expected: {_OPERATORS}")


def _number_alone(before: str, column: int, word: str) -> ConditionError:
    if word and (hint := unit_hint(word)):
        return ConditionError(f"{word} is no unit", column, hint)
    hint = f"compare something with it, for example error_rate > {before.strip('()+ ')}"
    return ConditionError("a number alone is no condition", 1, hint)


def _no_operand(text: str, at: int, word: str, kind: str, accepted: AbstractSet[str]) -> ConditionError:
    """Something else where a measure, metric or number must stand."""
    column = at + 1
    wanted = _expected(accepted)
    if kind == "$END":
        message = "the condition ends too early" if text.strip() else "the condition is empty"
        return ConditionError(message, column, wanted if text.strip() else "for example error_rate > 5%")
    if kind in {"COMPARISON", "NOT_EQUAL", "EQUALS"}:
        before = text[:at].rstrip()
        if before.endswith((">", "<", "=")):
            hint = _SIGNS.get(before[-1] + word, "")
            return ConditionError(f"{word} can't stand here", column, f"write {hint}" if hint else wanted)
        return ConditionError("what is compared is missing", column, f"for example error_rate {word} 5%")
    if kind == "RPAR":
        return ConditionError("nothing stands in the brackets", column, wanted)
    return ConditionError(f"{word} can't stand here", column, wanted)


def _after_hint(word: str, before: str) -> str:
    """What was meant by a word behind a condition that is complete."""
    if word == "for":
        return "how long it must hold stands beside the condition in the rule: for: 5m"
    if word == ")":
        return "a bracket is closed that was never opened"
    if word in {",", ";"}:
        return "join conditions by and, or"
    if before[-1:].isspace() and before.rstrip()[-1:].isdigit() and (hint := unit_hint(word)):
        return hint
    return ""


def _expected(accepted: AbstractSet[str]) -> str:
    words = [plain for terminals, plain in _PLAIN if terminals & accepted]
    if "a condition" in words:
        words = ["a condition such as error_rate > 5%"]
    elif "a measure, a metric or a number" in words:
        words = ["a measure, a metric or a number"]
    return f"expected: {', '.join(words)}" if words else ""


def _sign(text: str, at: int) -> str:
    return next((ours for sign, ours in _SIGNS.items() if text.startswith(sign, at)), "")


def _sign_hint(text: str, at: int) -> str:
    sign = _sign(text, at)
    return f"write {sign}" if sign else ""
