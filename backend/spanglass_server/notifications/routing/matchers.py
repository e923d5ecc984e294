"""Matchers on labels: whether they hold. Regular expressions are anchored, and RE2's: their time is bounded."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.notifications.model import Matcher

#: Answers of regular expressions that are remembered: alerts of a storm have few different values.
_REMEMBERED = 65_536
_PLAIN_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:.]*")


class MatcherError(ValueError):
    """A text that is no matcher; ``column`` counts its characters from 1, 0 where unknown."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint


def holds(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether a matcher holds of labels; one that is not there has the value ""."""
    value = labels.get(matcher.name, "")
    match matcher.operator:
        case "=":
            return value == matcher.value
        case "!=":
            return value != matcher.value
        case "=~":
            return _matches(matcher.value, value)
        case "!~":
            return not _matches(matcher.value, value)


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all matchers hold of labels; without any, they do."""
    return all(holds(matcher, labels) for matcher in matchers)


def first_failing(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> Matcher | None:
    """The first matcher that does not hold."""
    return next((matcher for matcher in matchers if not holds(matcher, labels)), None)


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression: ``MatcherError``."""
    try:
        _matches(pattern, "")
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        hint = "the syntax is RE2: no look-around, no back-references; escape special characters with a backslash"
        raise MatcherError(f"{pattern!r} is no regular expression: {reason}", hint=hint) from None
    except UnicodeEncodeError:
        raise MatcherError(f"{pattern!r} is no regular expression: it holds half a character") from None


@lru_cache(_REMEMBERED)
def _matches(pattern: str, value: str) -> bool:
    return bool(pc.match_substring_regex(pa.scalar(value), pattern=f"^(?:{pattern})$").as_py())


def quoted(text: str) -> str:
    """A text in double quotes, as matchers have it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def name_text(name: str) -> str:
    """A label's name as matchers have it: in quotes where it needs them."""
    return name if _PLAIN_NAME.fullmatch(name) else quoted(name)


def matcher_text(matcher: Matcher) -> str:
    """A matcher as people write it: ``team="db"``."""
    return f"{name_text(matcher.name)}{matcher.operator}{quoted(matcher.value)}"


def matchers_text(matchers: Iterable[Matcher]) -> str:
    """Matchers in braces, in the order of their names: ``{severity="critical",team="db"}``."""
    ordered = sorted(matchers, key=lambda matcher: (matcher.name, matcher.value, matcher.operator))
    return "{" + ",".join(map(matcher_text, ordered)) + "}"


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels in braces, in the order of their names."""
    return "{" + ",".join(f"{name_text(name)}={quoted(labels[name])}" for name in sorted(labels)) + "}"
