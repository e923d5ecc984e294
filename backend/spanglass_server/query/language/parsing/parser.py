"""Text to syntax tree. The grammar is in ``grammar.lark``; its tables are built once, when this module is imported."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.lexer import Lexer

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling.relations import check_count
from spanglass_server.query.language.parsing.ast import (
    EVERYTHING,
    ORDERED,
    And,
    Compare,
    Exists,
    Field,
    Filter,
    In,
    Not,
    Operator,
    Or,
    Related,
    Relation,
    Text,
    Value,
)
from spanglass_server.query.language.parsing.numbers import check_ordered_value
from spanglass_server.query.language.parsing.scanner import KEY_KINDS, Lexeme, scan
from spanglass_server.query.language.parsing.text import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longest filter in characters: room for a hundred trace ids and their commas.
MAX_LENGTH = 10_000

#: Trees of filters so long are kept.
_SHORT = 500

#: Brackets and negations inside one another. Nobody reads past five; DuckDB stops at 1 000 nested expressions.
MAX_DEPTH = 50

#: Conditions and listed values in one filter: each may become some dozens of SQL terms, one for every place it looks.
MAX_TERMS = 500

#: Conditions about other spans in one filter: each reads the spans around the range once more.
MAX_RELATIONS = 10

_OPERATORS = {**{operator.value: operator for operator in Operator}, "": Operator.EQUAL, "==": Operator.EQUAL}
_OPERATORS["=~"] = Operator.MATCHES

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "exists")

#: Terminals in words for people, in the order they are listed in an error.
_EXPECTED = {
    "COMPARISON": _COMPARISONS,
    "WORD": ("a key", "text"),
    "VALUE": ("a value",),
    "LPAR": ("(",),
    "NOT": ("not",),
    "AND": ("and",),
    "OR": ("or",),
    "COMMA": (",",),
    "RPAR": (")",),
    "$END": ("the end",),
}

_HINTS = {
    "COMPARISON": "write a key before the operator, as in duration > 500ms; put text that holds an operator in quotes",
    "COMMA": "put a value that holds a comma in quotes, or write a list as key in (a, b)",
    "RPAR": "remove this bracket, or put text that holds brackets in quotes",
    "LPAR": "put a value that holds brackets in quotes",
    "$END": "the filter stops too early",
}


def parse_filter(text: str) -> Filter:
    """Build the syntax tree of a filter; the empty text matches everything. Raises ``FilterError`` and nothing else."""
    return _kept(text) if len(text) <= _SHORT else _parsed(text)


@lru_cache(maxsize=500)
def _kept(text: str) -> Filter:
    """Keep the trees of short filters, which come again with each look at a page and each alert: 0.7 ms each."""
    return _parsed(text)


def _parsed(text: str) -> Filter:
    _check_characters(text)
    lexemes = scan(text)
    _check_lexemes(text, lexemes)
    try:
        return _PARSER.parse((text, lexemes))  # type: ignore[return-value] # a transformer makes our nodes of its trees
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None


def parse_field(text: str) -> Field:
    """Read one key as written in a filter, as the group-by and facet parameters take it. Raises ``FilterError``."""
    _check_characters(text)
    lexemes = scan(text)
    if len(lexemes) != 1 or lexemes[0].kind not in KEY_KINDS:
        raise FilterError(
            f"{text!r} is not one key", 1, ("a key",), 'put a key with special characters in quotes: "k k"'
        )
    return _field(Token(lexemes[0].kind, text[lexemes[0].start : lexemes[0].end], lexemes[0].start))


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        hint = f"a filter has at most {MAX_LENGTH} characters"
        raise FilterError(f"the filter has {len(text)} characters", MAX_LENGTH + 1, (), hint)
    for index, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            raise FilterError("half of a surrogate pair is not text", index + 1, (), "remove this character")


def _check_lexemes(text: str, lexemes: list[Lexeme]) -> None:
    """Refuse what no grammar rule needs to see: open quotes, and more nesting or terms than queries can bear."""
    open_brackets = negations = terms = relations = 0
    for lexeme in lexemes:
        if lexeme.kind == "BAD":
            quote = text[lexeme.start]
            raise FilterError(
                "this quote is not closed", lexeme.start + 1, (quote,), f"add {quote} at the end of the text"
            )
        open_brackets += (lexeme.kind == "LPAR") - (lexeme.kind == "RPAR")
        negations = negations + 1 if lexeme.kind == "NOT" else negations * (lexeme.kind == "LPAR")
        terms += lexeme.is_value or lexeme.kind in KEY_KINDS
        relations += lexeme.kind == "RELATION"
        if open_brackets + negations > MAX_DEPTH:
            hint = f"conditions nest at most {MAX_DEPTH} deep"
            raise FilterError("too many brackets or negations inside one another", lexeme.start + 1, (), hint)
        if relations > MAX_RELATIONS:
            hint = f"a filter has at most {MAX_RELATIONS} of {', '.join(f'{word}()' for word in Relation)}"
            raise FilterError("the filter asks about too many other spans", lexeme.start + 1, (), hint)
        if terms > MAX_TERMS:
            hint = f"a filter has at most {MAX_TERMS} keys, values and words"
            raise FilterError("the filter has too many conditions", lexeme.start + 1, (), hint)


def _syntax_error(text: str, error: UnexpectedInput) -> FilterError:
    token = getattr(error, "token", None)
    kind = token.type if token is not None else "$END"
    column = len(text) + 1 if kind == "$END" or token is None or token.start_pos is None else token.start_pos + 1
    accepted = getattr(error, "accepts", None) or getattr(error, "expected", None) or set()
    expected = tuple(word for terminal, words in _EXPECTED.items() if terminal in accepted for word in words)
    found = "the end of the filter" if kind == "$END" else repr(str(token))
    message = f"expected {_in_words(expected)}, found {found}"
    hint = "quote it to use it as a value" if "VALUE" in accepted and kind != "$END" else _HINTS.get(kind, "")
    return FilterError(message, column, expected, hint)


def _in_words(expected: tuple[str, ...]) -> str:
    if expected[:1] == ("=",):
        expected = ("an operator", *expected[len(_COMPARISONS) :])
    head, last = expected[:-1], expected[-1] if expected else "something else"
    return f"{', '.join(head)} or {last}" if head else last


def _field(token: Token) -> Field:
    column = (token.start_pos or 0) + 1
    if token.type == "WORD":
        return Field(str(token), column=column)
    position, _, quoted = token.partition(".") if token.type == "POSITIONED" else ("", "", str(token))
    return Field(unquote(quoted), quoted=True, position=position, column=column)


def _value(token: Token) -> Value:
    column = (token.start_pos or 0) + 1
    if token.type == "STRING":
        return Value(unquote(token), quoted=True, column=column)
    return Value(str(token), column=column)


class _Lexer(Lexer):
    """Hands the scanner's lexemes to lark."""

    def __init__(self, _: Any) -> None:
        pass

    def lex(self, data: tuple[str, list[Lexeme]]) -> Iterator[Token]:  # type: ignore[override] # lark passes on what we gave
        text, lexemes = data
        for lexeme in lexemes:
            yield Token(lexeme.kind, text[lexeme.start : lexeme.end], lexeme.start, end_pos=lexeme.end)


class _Builder(Transformer[Token, Filter]):
    """Makes a node of each grammar rule, as soon as it is complete."""

    def start(self, children: list[Filter | None]) -> Filter:
        return children[0] if children and children[0] is not None else EVERYTHING

    def disjunction(self, children: list[Any]) -> Filter:
        return Or(tuple(child for child in children if not isinstance(child, Token)))

    def conjunction(self, children: list[Any]) -> Filter:
        return And(tuple(child for child in children if not isinstance(child, Token)))

    def negation(self, children: list[Any]) -> Filter:
        return Not(children[-1])

    def group(self, children: list[Any]) -> Filter:
        inner: Filter = children[1]
        return inner

    def compare(self, children: list[Any]) -> Filter:
        field, sign, value = children
        operator = _OPERATORS[sign.removeprefix(":")]
        if operator in ORDERED:
            check_ordered_value(value)
        column = sign.start_pos + 1
        return Compare(field, operator, value, column)

    def within(self, children: list[Any]) -> Filter:
        return In(children[0], children[-1])

    def not_within(self, children: list[Any]) -> Filter:
        return Not(In(children[0], children[-1]))

    def exists(self, children: list[Any]) -> Filter:
        return Exists(children[0])

    def not_exists(self, children: list[Any]) -> Filter:
        return Not(Exists(children[0]))

    def related(self, children: list[Any]) -> Filter:
        word, _, term, _, sign, value = children
        relation, column = Relation(word.lower()), word.start_pos + 1
        if sign is None:
            return Related(relation, term or EVERYTHING, column=column)
        operator = _OPERATORS[sign.removeprefix(":")]
        return Related(relation, term or EVERYTHING, operator, check_count(relation, operator, sign, value), column)

    def text(self, children: list[Any]) -> Filter:
        return Text(_value(children[0]))

    def field(self, children: list[Any]) -> Field:
        return _field(children[0])

    def values(self, children: list[Any]) -> tuple[Value, ...]:
        return tuple(child for child in children if isinstance(child, Value))

    def value(self, children: list[Any]) -> Value:
        return _value(children[0])


_PARSER = Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer=_Lexer, transformer=_Builder())
