"""JSON texts: secrets in them are replaced so that they stay JSON, and every other byte stays as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spanglass.scrubbing.pairs import is_flag, is_number
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from spanglass.scrubbing.keys import KeyRules, Rule
    from spanglass.scrubbing.plans import Mark

# a string, a number or word, a bracket, or what stands between
_TOKEN = lazy_pattern(r"\"(?:[^\"\\]|\\.)*+\"|[\w.+-]++|[{}\[\]]|[^\"\w.+{}\[\]-]++")


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    if not text.lstrip()[:1].startswith(("{", "[")):
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def scrub_json(text: str, rules: KeyRules, mark: Mark, scrub_text: Callable[[str], str]) -> str:
    """Scrub a valid JSON text: values of secret names, whatever they are, and ``scrub_text`` of every other value."""
    tokens = _TOKEN.finditer(text)
    pieces: list[str] = []
    rule: Rule | None = None  # of the value that comes next
    flag: Rule | None = None  # of the argument before: ["--password", "x"]
    for found in tokens:
        token = found.group()
        if token[0] == '"' and _is_key(text, found.end()):
            rule, flag = rules.find(json.loads(token)), None
            pieces.append(token)
        elif token[0] in "{[" and rule is not None:
            whole = _skip(text, found, tokens)
            pieces.append(whole if len(whole) == len("{}") else _string(mark(whole, rule.reason), whole))
            rule = None
        elif token[0] in "{}[]" or not (token[0] in '"+-.' or token[0].isalnum()):
            pieces.append(token)
            rule = None if "," in token else rule
            flag = None if token[0] in "{}[]" else flag
        else:
            named = rule is None and token[0] == '"' and is_flag(token[1:-1])
            pieces.append(_value(token, rule or (None if named else flag), mark, scrub_text))
            rule, flag = None, rules.find(json.loads(token)) if named else None
    return "".join(pieces)


def _is_key(text: str, end: int) -> bool:
    while text[end : end + 1].isspace():
        end += 1
    return text[end : end + 1] == ":"


def _skip(text: str, opened: re.Match[str], tokens: Iterator[re.Match[str]]) -> str:
    """Read on to the end of an object or array, and give it whole."""
    depth = 1
    for found in tokens:
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found.group(), 0)
        if depth == 0:
            return text[opened.start() : found.end()]
    return text[opened.start() :]


def _value(token: str, rule: Rule | None, mark: Mark, scrub_text: Callable[[str], str]) -> str:
    """Scrub a string, number or word; what does not change keeps its bytes."""
    if token[0] != '"':
        if token in {"true", "false", "null"} or (rule is not None and not rule.numbers and is_number(token)):
            return token
        scrubbed = scrub_text(token) if rule is None else mark(token, rule.reason)
        return token if scrubbed == token else _string(scrubbed, token)
    text = json.loads(token)
    scrubbed = scrub_text(text) if rule is None else mark(text, rule.reason)
    return token if scrubbed == text else _string(scrubbed, token)


def _string(text: str, instead_of: str) -> str:
    return json.dumps(text, ensure_ascii=instead_of.isascii())
