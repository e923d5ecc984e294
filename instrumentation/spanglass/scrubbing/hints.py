"""One pattern that says of nearly every text in one pass that it holds no secret; what it finds is only a suspicion.

A pattern is searched for by its first character. So each hint is searched for by its rarest one, looking back from
there: `k` of `token`, `w` of `password`. Texts are given in small letters.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A literal in small letters, and a pattern that must follow it.
Hint = tuple[str, str]

_BETWEEN_WORDS = r"[\W\d_]*+"  # what may stand between the words of a name, or nothing
_RAREST_FIRST = "zqjxkvbwygfpmucdlhrsnoiate"  # letters in English, and in names of attributes
_LAST_CHOICE = len(_RAREST_FIRST)  # for digits and punctuation, which dates, numbers and paths are full of


def hint_pattern(hints: Iterable[Hint]) -> re.Pattern[str]:
    """Compile hints; a blank in a literal stands for what may be between words of a name."""
    anchored = sorted({_anchor(literal, follows) for literal, follows in hints})
    groups = [
        re.escape(first) + _either([after for _, after in group])
        for first, group in groupby(anchored, key=lambda each: each[0])
    ]
    return re.compile("|".join(groups))


def _anchor(literal: str, follows: str) -> tuple[str, str]:
    """Write a hint as its rarest character and a pattern behind it."""
    at = min(range(len(literal)), key=lambda index: _rarity(literal[index]))
    word = literal[:at].rpartition(" ")[2]  # the words before are not looked back at: their distance is not fixed
    back = f"(?<={re.escape(word + literal[at])})" if word else ""
    rest = "".join(_BETWEEN_WORDS if each == " " else re.escape(each) for each in literal[at + 1 :])
    return literal[at], back + rest + follows


def _rarity(character: str) -> int:
    place = _RAREST_FIRST.find(character)
    return place if place >= 0 else _LAST_CHOICE + (character == " ")


def _either(patterns: list[str]) -> str:
    """Join the patterns of one character, sorted; one that only goes on where another has ended adds nothing."""
    kept: list[str] = []
    for pattern in patterns:
        if not any(pattern.startswith(shorter) for shorter in kept):
            kept.append(pattern)
    return kept[0] if len(kept) == 1 else f"(?:{'|'.join(kept)})"
