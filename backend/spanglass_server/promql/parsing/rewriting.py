"""What the parser library lacks of Prometheus 3, taken out of the tokens before it sees them.

Durations may be expressions: each becomes a placeholder, and ``Rewritten`` tells its tokens. ``anchored`` and
``smoothed`` vanish, ``</`` and ``>/`` become comparisons, and digits lose their underscores: the conversion of the
syntax tree finds them in the tokens again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from spanglass_server.promql.parsing.tokens import Token, Tokens, parse_error

#: All durations behind ``[`` and ``offset`` become placeholders, so these cannot be mistaken for what was written.
_FIRST_PLACEHOLDER = 1000
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_SIGNS = ("+", "-")
#: The longest duration: Prometheus has 64 bits for nanoseconds.
LONGEST_MS = 2**63 // 10**6
OUT_OF_RANGE = "duration out of range"
_ENDLESS_MS = 9.2e18
#: Put into the selector of info, which unlike others may accept everything; the conversion takes it out again.
ANY_NAME = "(?:.+)"


@dataclass(slots=True)
class Rewritten:
    """Tokens as the library is given them, and what each placeholder (in milliseconds) stands for."""

    tokens: Tokens
    durations: dict[int, list[Token]] = field(default_factory=dict)

    def text(self) -> str:
        """The text for the library."""
        return " ".join(token.written for token in self.tokens.items if token.written)


def rewrite(tokens: Tokens) -> Rewritten:
    """Take out of the tokens what the library does not know."""
    rewritten = Rewritten(tokens)
    for place, token in enumerate(tokens.items):
        if token.text == "[" and place in tokens.closing:
            _rewrite_range(rewritten, place, tokens.closing[place])
        elif token.kind == "name" and token.text.lower() == "offset" and place > 0:
            _rewrite_offset(rewritten, place + 1)
        elif token.text == "{" and _is_info_selector(tokens, place):
            tokens.items[place] = replace(token, written=f'{{__name__=~"{ANY_NAME}",')
        elif token.text in ("</", ">/"):
            tokens.items[place] = replace(token, written=token.text[0])
        elif token.kind == "number" and "_" in token.text:
            tokens.items[place] = replace(token, written=token.text.replace("_", ""))
        elif _is_mode(tokens, place):
            tokens.items[place] = replace(token, written="")
    return rewritten


def milliseconds(token: Token) -> int | None:
    """What a duration or number of seconds means; None for other tokens."""
    if token.kind == "duration":
        return sum(int(count) * _UNITS_MS[unit] for count, unit in re.findall(r"(\d+)(ms|[smhdwy])", token.text))
    if token.kind == "number":
        return round(min(number(token.text) * 1000, _ENDLESS_MS))
    return None


def number(text: str) -> float:
    """What a number token means."""
    plain = text.replace("_", "").lower()
    return float(int(plain, 16)) if plain.startswith("0x") else float(plain)


def _is_info_selector(tokens: Tokens, place: int) -> bool:
    """Whether braces are the second argument of info."""
    if not tokens.is_at(place - 1, ","):
        return False
    around = [left for left, right in tokens.closing.items() if left < place < right and tokens.is_at(left, "(")]
    return bool(around) and tokens.is_at(max(around) - 1, "info")


def _is_mode(tokens: Tokens, place: int) -> bool:
    """Whether a name is the modifier ``anchored`` or ``smoothed``: it stands behind a selector, not before one."""
    before, token = tokens.items[place - 1] if place else None, tokens.items[place]
    if before is None or token.text.lower() not in ("anchored", "smoothed") or token.kind != "name":
        return False
    return before.text in ("}", "]") or (before.kind in ("name", "duration", "number") and not _is_word(before.text))


def _is_word(text: str) -> bool:
    return text.lower() in ("and", "or", "unless", "atan2", "bool", "by", "without")


def _rewrite_range(rewritten: Rewritten, opening: int, closing: int) -> None:
    """``[range]`` or ``[range:step]``, whose step may be absent."""
    items = rewritten.tokens.items
    colons = [
        place
        for place in range(opening + 1, closing)
        if items[place].text == ":" and _is_top(rewritten.tokens, opening, place)
    ]
    begin = opening + 1
    for end in [*colons[:1], closing]:
        if begin < end:
            _put_placeholder(rewritten, begin, end, is_range=True)
        elif end != closing or not colons:
            message = "missing unit character in duration" if not colons else 'unexpected ":" in subquery or range'
            raise parse_error(
                rewritten.tokens.text, items[end].start, message + ", expected number, duration, step(), or range()"
            )
        begin = end + 1


def _is_top(tokens: Tokens, opening: int, place: int) -> bool:
    return not any(opening < left < place < right for left, right in tokens.closing.items())


def _rewrite_offset(rewritten: Rewritten, begin: int) -> None:
    """The duration behind ``offset``: a sign, then a number, something in parentheses, or a call."""
    tokens, end = rewritten.tokens, begin
    while tokens.is_at(end, *_SIGNS):
        end += 1
    if tokens.kind(end) == "name" and tokens.is_at(end + 1, "("):
        end += 1
    if tokens.is_at(end, "("):
        _put_placeholder(rewritten, begin, tokens.closing[end] + 1, is_range=False)
    elif tokens.kind(end) in ("number", "duration"):
        _put_placeholder(rewritten, begin, end + 1, is_range=False)


def _put_placeholder(rewritten: Rewritten, begin: int, end: int, *, is_range: bool) -> None:
    items = rewritten.tokens.items
    meant = items[begin:end]
    negative = len(meant) == len("-1") and meant[0].text == "-" and milliseconds(meant[1]) is not None
    if is_range and (negative or (len(meant) == 1 and milliseconds(meant[0]) == 0)):
        raise parse_error(rewritten.tokens.text, meant[0].start, "duration must be greater than 0")
    key = _FIRST_PLACEHOLDER + len(rewritten.durations)
    rewritten.durations[key] = meant
    items[begin] = replace(items[begin], written=f"{key}ms")
    for place in range(begin + 1, end):
        items[place] = replace(items[place], written="")
