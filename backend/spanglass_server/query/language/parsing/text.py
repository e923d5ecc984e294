"""How filters are spelled: bare words and values, quoting, and writing a syntax tree as text."""

from __future__ import annotations

import re

from spanglass_server.query.language.parsing.ast import (
    And,
    Compare,
    Exists,
    Field,
    Filter,
    In,
    Not,
    Or,
    Related,
    Text,
    Value,
)

#: A bare key or word of free text. Quotes, brackets, commas and operators end it.
BARE_WORD = re.compile(r"""[^\s()",=<>!~:'][^\s()",=<>!~:]*""")

#: A bare value, after an operator: operators and colons may stand inside it, as in ``http://shop/cart?id=7``.
BARE_VALUE = re.compile(r"""[^\s()",=<>!~'][^\s()",]*""")

#: A quoted text, in either kind of quotes. A backslash only escapes quotes and itself, so regexes need no doubling.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'", re.DOTALL)

#: Words that join conditions, in any case, with what each means. As a key, word or value they need quotes.
KEYWORDS = {"and": "AND", "&&": "AND", "or": "OR", "||": "OR", "not": "NOT"}

_ESCAPED = re.compile(r"""\\([\\"'])""")


def quote(text: str) -> str:
    """Any text as a quoted one."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Read what a quoted text says."""
    return _ESCAPED.sub(r"\1", text[1:-1])


def format_field(field: Field) -> str:
    """Write a key as filters do."""
    if field.quoted or not _stands_bare(BARE_WORD, field.name):
        return (field.position and field.position + ".") + quote(field.name)
    return field.name


def format_filter(tree: Filter) -> str:
    """Write a syntax tree as text that parses to an equal tree."""
    match tree:
        case And(terms):
            return " and ".join(_format_operand(term, And, Or) for term in terms)
        case Or(terms):
            return " or ".join(_format_operand(term, Or) for term in terms)
        case Not(term):
            return "not " + _format_operand(term, And, Or)
        case _:
            return _format_condition(tree)


def _format_condition(tree: Compare | In | Exists | Text | Related) -> str:
    match tree:
        case Compare(field, operator, value):
            return f"{format_field(field)} {operator} {_format_value(value, BARE_VALUE)}"
        case In(field, values):
            return f"{format_field(field)} in ({', '.join(_format_value(value, BARE_VALUE) for value in values)})"
        case Exists(field):
            return f"{format_field(field)} exists"
        case Text(value):
            return _format_value(value, BARE_WORD)
        case Related(relation, term):
            counted = "" if is_any(tree) else f" {tree.operator} {tree.count}"
            return f"{relation}({format_filter(term)}){counted}"


def is_any(tree: Related) -> bool:
    """Whether one such span is enough, which needs no count."""
    return (tree.operator, tree.count) == (">=", 1)


def _format_operand(term: Filter, *in_brackets: type) -> str:
    text = format_filter(term)
    return f"({text})" if isinstance(term, in_brackets) else text


def _format_value(value: Value, bare: re.Pattern[str]) -> str:
    return value.text if not value.quoted and _stands_bare(bare, value.text) else quote(value.text)


def _stands_bare(bare: re.Pattern[str], text: str) -> bool:
    minus_means_not = bare is BARE_WORD and text.startswith("-") and text != "-"
    return bool(bare.fullmatch(text)) and text.lower() not in KEYWORDS and not minus_means_not
