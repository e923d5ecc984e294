"""Log lines that say the same with other values, as one pattern: by length and first word, then by what is alike.

The method is that of Drain (He et al., ICWS 2017): a line joins the pattern of its length that it is most alike, and
where they differ the pattern has a wildcard from then on. Values that can be told by their looks are masked before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import eq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What stands for any text.
WILDCARD = "<*>"
#: What is masked, in this order, and by what: ids of eight hex digits and more, quoted texts, numbers. The regular
#: expressions mean the same to RE2 and to Python.
MASKS = (
    (r"\b(?:0x)?[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*\b", WILDCARD),
    (r'"[^"]*"', f'"{WILDCARD}"'),
    (r"[0-9]+(?:[.,:][0-9]+)*", WILDCARD),
)
#: So many words are looked at; what follows is any text.
MOST_WORDS = 40
#: This share of the words must be the same.
_ALIKE = 0.5
#: Patterns of one length and first word; the last takes all lines that are like none of the others. So three thousand
#: lines that have nothing in common cost 150,000 comparisons, not four million.
_MOST_ALTERNATIVES = 50
#: What RE2, and so a filter, calls blank; Python's ``split`` knows more, among them the no-break space.
_WORD = re.compile(r"[^ \t\n\f\r]+")
_MASKS = tuple((re.compile(pattern), mask) for pattern, mask in MASKS)


def masked(text: str) -> str:
    """Mask the values of a line."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


@dataclass(slots=True)
class Pattern:
    """Words, with wildcards where the masked lines that belong to it differ; ``lines`` are these."""

    words: list[str]
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """As it is shown."""
        return " ".join(self.words)

    @property
    def regex(self) -> str:
        """An RE2 expression that finds its lines, from their beginning on."""
        if not self.words:
            return r"^\s*(?:\n|$)"
        words = (".*".join(_escaped(part) for part in word.split(WILDCARD)) for word in self.words)
        return r"^\s*" + r"\s+".join(words)

    def likeness(self, words: list[str]) -> float:
        """The share of as many words that are the same; of lines that are all values all are."""
        if self.words == words:
            return 1
        same: int = sum(map(eq, self.words, words))
        if same and WILDCARD in words:
            same -= sum(own == other == WILDCARD for own, other in zip(self.words, words, strict=True))
        return same / len(words)

    def join(self, words: list[str]) -> None:
        """Have a wildcard where as many words differ."""
        self.words = [own if own == other else WILDCARD for own, other in zip(self.words, words, strict=True)]


def find_patterns(lines: Iterable[str]) -> list[Pattern]:
    """Group masked lines, which differ; those that come first shape the patterns, so the most frequent should."""
    patterns: list[Pattern] = []
    known: dict[tuple[int, str], list[Pattern]] = {}
    for line in lines:
        words = _WORD.findall(line)
        words = words if len(words) <= MOST_WORDS else [*words[:MOST_WORDS], WILDCARD]
        first = words[0] if words and WILDCARD not in words[0] else WILDCARD
        alternatives = known.setdefault((len(words), first), [])
        shares = [pattern.likeness(words) for pattern in alternatives]
        best = max(shares, default=0)
        if best < _ALIKE and len(alternatives) < _MOST_ALTERNATIVES:
            alternatives.append(Pattern(words))
            patterns.append(alternatives[-1])
        chosen = alternatives[shares.index(best) if best >= _ALIKE else -1]
        chosen.join(words)
        chosen.lines.append(line)
    return patterns


def _escaped(text: str) -> str:
    """A text as part of a regular expression; letters, digits and blanks stay as they are."""
    return re.sub(r"([^\w\s])", r"\\\1", text, flags=re.ASCII) if text.isascii() else re.escape(text)
