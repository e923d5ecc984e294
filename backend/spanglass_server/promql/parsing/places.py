"""Where in the text an error of the parser library is, which tells no places, and what Prometheus says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.promql.parsing import syntax
from spanglass_server.promql.parsing.operands import argument_types, arguments, operand_start, postfix_start
from spanglass_server.promql.parsing.unexpected import first_bad, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.promql.parsing.tokens import Tokens

_TYPES = {"matrix": "range vector", "vector": "instant vector"}
_AGGREGATORS = (
    "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "count_values", "quantile",
    "limitk", "limit_ratio",
)  # fmt: skip
_SETS = ("and", "or", "unless")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def explained(message: str, tokens: Tokens) -> tuple[int, str]:
    """The place of an error, and its text in Prometheus' words."""
    if message == syntax.NOT_READ:
        return unexpected(tokens)
    for pattern, place in _PLACES:
        if (found := re.match(pattern, message)) is not None:
            at = place(tokens, found)
            return at, _worded(_of_parameter(message, tokens, at))
    return tokens.start(first_bad(tokens)), _worded(message)


def _of_parameter(message: str, tokens: Tokens, at: int) -> str:
    """The library calls an aggregation's parameter its expression."""
    parameters = [arguments(tokens, place) for place in _calls(tokens, _AGGREGATORS)]
    is_first = any(len(found) > 1 and tokens.start(found[0][0]) == at for found in parameters)
    return message.replace("in aggregation expression", "in aggregation parameter") if is_first else message


def _worded(message: str) -> str:
    if (escape := re.match(r"unknown escape sequence '(.)'", message)) is not None:
        return f"unknown escape sequence U+{ord(escape[1]):04X} '{escape[1]}'"
    message = re.sub(r"'([^']*)'", r'"\1"', message)
    message = re.sub(
        r"\b(expected type|got:?|allowed on|between|an|or) (vector|matrix)(s?)\b",
        lambda found: f"{found[1]} {_TYPES[found[2]]}{found[3]}",
        message,
    )
    message = re.sub(r"^illegal regex for (.*)", r"error parsing regexp: `\1`", message)
    return re.sub(r"^(unary expression .*, got): (.*)", r'\1 "\2"', message)


def _named(tokens: Tokens, found: re.Match[str]) -> int:
    """A token that the message quotes."""
    places = [place for place, token in enumerate(tokens.items) if token.text.lower() == found["name"].lower()]
    return tokens.start(places[0]) if places else 0


def _call(tokens: Tokens, found: re.Match[str]) -> int:
    """The function that is called with so many arguments."""
    calls = _calls(tokens, (found["name"],))
    return _first(tokens, [place for place in calls if len(arguments(tokens, place)) == int(found["got"])] or calls)


def _argument(tokens: Tokens, found: re.Match[str]) -> int:
    """The argument of a function that has the wrong type."""
    for place in _calls(tokens, (found["name"],)):
        for begin, kind in argument_types(tokens, place):
            if kind == found["got"]:
                return tokens.start(begin)
    return _named(tokens, found)


def _aggregated(tokens: Tokens, found: re.Match[str]) -> int:
    """What is aggregated, or the parameter, that has the wrong type."""
    for place in _calls(tokens, _AGGREGATORS):
        for begin, kind in argument_types(tokens, place):
            if kind == found["got"]:
                return tokens.start(begin)
    return 0


def _aggregator(tokens: Tokens, found: re.Match[str]) -> int:
    calls = _calls(tokens, _AGGREGATORS)
    return _first(tokens, [place for place in calls if len(arguments(tokens, place)) == int(found["got"])] or calls)


def _calls(tokens: Tokens, names: tuple[str, ...]) -> list[int]:
    """The places of names with parentheses behind them, perhaps behind ``by (...)``."""
    return [place for place, token in enumerate(tokens.items) if token.text.lower() in names]


def _first(tokens: Tokens, places: list[int]) -> int:
    return tokens.start(places[0]) if places else 0


def _before(*texts: str) -> Callable[[Tokens, re.Match[str]], int]:
    """The beginning of the operand before an operator."""
    return lambda tokens, _: _first(tokens, [operand_start(tokens, place) for place in _calls(tokens, texts)])


def _postfix(*texts: str) -> Callable[[Tokens, re.Match[str]], int]:
    """The beginning of the expression that a modifier stands behind."""
    return lambda tokens, _: _first(tokens, [postfix_start(tokens, place) for place in _calls(tokens, texts)])


def _one_before(*texts: str) -> Callable[[Tokens, re.Match[str]], int]:
    return lambda tokens, _: _first(tokens, [max(place - 1, 0) for place in _calls(tokens, texts)])


def _at(*texts: str) -> Callable[[Tokens, re.Match[str]], int]:
    return lambda tokens, _: _first(tokens, _calls(tokens, texts))


def _no_value(tokens: Tokens, _found: re.Match[str]) -> int:
    """The operand that is a range vector or a text."""
    ranges = [postfix_start(tokens, place) for place in _calls(tokens, ("[",))]
    texts = [place for place, token in enumerate(tokens.items) if token.kind == "string"]
    return _first(tokens, ranges or texts)


def _range(tokens: Tokens, _found: re.Match[str]) -> int:
    """A range behind something else than a selector."""
    return _first(tokens, [place for place in _calls(tokens, ("[",)) if tokens.is_at(place - 1, ")", "]")])


def _text(tokens: Tokens, _found: re.Match[str]) -> int:
    return _first(tokens, [place for place, token in enumerate(tokens.items) if token.kind == "string"])


def _selector(tokens: Tokens, found: re.Match[str]) -> int:
    """The selector that has no matcher, or one that is none."""
    for place, token in enumerate(tokens.items):
        if token.text != "{":
            continue
        begin = place - 1 if place and tokens.kind(place - 1) == "name" else place
        text = " ".join(part.written for part in tokens.items[begin : tokens.closing[place] + 1])
        try:
            syntax.parse(text)
        except ValueError as error:
            if str(error) == found.string:
                return tokens.start(begin)
    return 0


def _regex(tokens: Tokens, found: re.Match[str]) -> int:
    """The matcher whose regular expression is none; the selector, where it is written with escapes."""
    texts = [token.text[1:-1] for token in tokens.items[1:]]
    written = [place for place in _calls(tokens, ("=~", "!~")) if texts[place : place + 1] == [found["regex"]]]
    return tokens.start(written[0] - 1) if written else _selector(tokens, found)


_COUNTED = r"expected (?:at least |at most )?\d+ argument\(s\) in call to '(?P<name>\w+)', got (?P<got>\d+)"
_PLACES: tuple[tuple[str, Callable[[Tokens, re.Match[str]], int]], ...] = (
    (r"unknown function with name '(?P<name>\w+)'", _named),
    (_COUNTED, _call),
    (r"expected type \w+ in call to function '(?P<name>\w+)', got (?P<got>\w+)", _argument),
    (r"expected type \w+ in aggregation \w+, got (?P<got>\w+)", _aggregated),
    (r"wrong number of arguments for aggregate .*got (?P<got>\d+)", _aggregator),
    (r"unary expression", _at("-", "+")),
    (r"set operator|no grouping allowed", _before(*_SETS)),
    (r"vector matching only allowed", _before("+", "-", "*", "/", "%", "^", "atan2", *_COMPARISONS)),
    (r"bool modifier can only", _one_before("bool")),
    (r"label '.*' must not occur in ON and GROUP", _one_before("on")),
    (r"comparisons between scalars", _at(*_COMPARISONS)),
    (r"subquery is only allowed", _postfix("[")),
    (r"@ ", _postfix("@")),
    (r"offset ", _postfix("offset")),
    (r"vector selector must contain", _selector),
    (r"illegal regex for (?P<regex>.*)", _regex),
    (r"metric name must not be set twice: '(?P<name>\w+)'", _named),
    (r"binary expression must contain", _no_value),
    (r"ranges only allowed", _range),
    (r"unknown escape sequence", _text),
    (r"unexpected identifier '(?P<name>\w+)'", _named),
)
