"""Regular expressions of templates: RE2, as in Prometheus, whose time grows with the text and not beyond."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.printf import MAX_LENGTH

_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_NAMED = re.compile(r"\(\?P?<(\w+)>")
_OPENING = re.compile(r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\((?!\?)|" + _NAMED.pattern, re.DOTALL)
_MOST_GROUPS = 9  # that RE2 refers to


def matches(pattern: str, text: str) -> bool:
    """Whether an expression matches anywhere in a text. Raises ``TemplateError``."""
    try:
        return bool(pc.match_substring_regex(pa.scalar(text), pattern=pattern).as_py())
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise _refused(pattern, error) from None


def replaced(pattern: str, replacement: str, text: str) -> str:
    """A text with every match replaced; ``$1``, ``${name}`` are groups, as in Go. Raises ``TemplateError``."""
    try:
        count = pc.count_substring_regex(pa.scalar(text), pattern=pattern).as_py()
        rewritten = _rewritten(pattern, replacement)
        if count * len(replacement) > MAX_LENGTH:
            raise TemplateError(f"reReplaceAll would make more than {MAX_LENGTH} characters")
        return str(pc.replace_substring_regex(pa.scalar(text), pattern=pattern, replacement=rewritten).as_py())
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise _refused(pattern, error) from None


def _rewritten(pattern: str, replacement: str) -> str:
    """References of Go as those of RE2; to a group that there is not, as nothing."""
    names = [found[1] or "" for found in _OPENING.finditer(pattern) if found[0][0] == "("]
    groups = {str(number): number for number in range(len(names) + 1)}
    groups |= {name: number for number, name in enumerate(names, 1) if name}

    def reference(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        number = groups.get(name, _MOST_GROUPS + 1)
        return f"\\{number}" if number <= _MOST_GROUPS else ""

    return _REFERENCE.sub(reference, replacement.replace("\\", "\\\\"))


def _refused(pattern: str, error: Exception) -> TemplateError:
    reason = str(error).removeprefix("Invalid regular expression: ")
    return TemplateError(f"{pattern!r} is no regular expression: {reason}")
