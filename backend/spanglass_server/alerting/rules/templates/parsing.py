"""From the text of a template to its blocks."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.templates.building import read_action
from spanglass_server.alerting.rules.templates.nodes import (
    Assign,
    Block,
    Call,
    Field,
    If,
    Output,
    Part,
    Pipeline,
    Range,
    TemplateError,
)
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.alerting.rules.templates.building import Action
    from spanglass_server.alerting.rules.templates.nodes import Operand

MAX_DEPTH = 30
_KEPT = 4_096
#: An action up to its end; what is in quotes may hold braces.
_ACTION = re.compile(
    r"""\{\{ (?P<trim>-\s)?
        (?P<body> (?: "(?:\\.|[^"\\])*" | `[^`]*` | /\*.*?\*/ | (?!\}\})[^"`] )*? )
        (?P<after>\s-)? \}\}""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*", re.DOTALL)
#: What a rule's templates begin with.
VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")


@lru_cache(_KEPT)
def parse_template(text: str) -> Block:
    """Read a template. Raises ``TemplateError`` with the place and what was probably meant."""
    try:
        return _parsed(text)
    except RecursionError:
        raise TemplateError(
            "parentheses within parentheses, too deep", hint="give a part of it to a variable"
        ) from None


def _parsed(text: str) -> Block:
    reader = _Reader(list(_pieces(text)))
    block = reader.block(0)
    if reader.ended_by is not None:
        kind = reader.ended_by.kind.rstrip("_").replace("_", " ")
        raise TemplateError(f"{{{{ {kind} }}}} belongs to nothing", reader.ended_by.column, "take it out")
    _check_names(block, frozenset(VARIABLES))
    return block


class _Reader:
    """Puts texts and actions into blocks."""

    def __init__(self, pieces: list[str | Action]) -> None:
        self._pieces = pieces
        self._place = 0
        self.ended_by: Action | None = None

    def block(self, depth: int) -> Block:
        """Read up to ``else``, ``end`` or the template's end."""
        if depth > MAX_DEPTH:
            raise TemplateError(f"blocks within blocks, more than {MAX_DEPTH} deep")
        parts: list[Part] = []
        while self._place < len(self._pieces):
            piece = self._pieces[self._place]
            self._place += 1
            if isinstance(piece, str):
                parts.append(piece)
            elif piece.kind in {"else_", "else_if", "end"}:
                self.ended_by = piece
                return tuple(parts)
            else:
                parts.append(self._part(piece, depth))
        self.ended_by = None
        return tuple(parts)

    def _part(self, word: Action, depth: int) -> Part:
        if word.kind == "output":
            return Output(word.value, column=word.column)
        if word.kind in {"declare", "assign"}:
            return Assign(word.variables[0], word.value, word.kind == "declare", column=word.column)
        body = self.block(depth + 1)
        otherwise = self._otherwise(word, depth)
        if word.kind == "range_":
            key, item = ("", *word.variables)[-2:] if word.variables else ("", "")
            return Range(word.value, body, otherwise, key, item, column=word.column)
        variable = word.variables[0] if word.variables else ""
        rebinds = word.kind.startswith("with")
        return If(word.value, body, otherwise, rebinds, variable, column=word.column)

    def _otherwise(self, begun: Action, depth: int) -> Block:
        ended = self._ended(begun)
        if ended.kind == "end":
            return ()
        if ended.kind == "else_if":
            if begun.kind not in {"if_", "else_if"}:
                raise TemplateError("else if belongs to an if", ended.column)
            return (self._part(replace(ended, kind="if_"), depth + 1),)
        block = self.block(depth + 1)
        if self._ended(begun).kind != "end":
            raise TemplateError("a second else", self._ended(begun).column, "take one of them out")
        return block

    def _ended(self, begun: Action) -> Action:
        if self.ended_by is None:
            kind = begun.kind.partition("_")[0]
            raise TemplateError(f"{{{{ {kind} }}}} is never ended", begun.column, "write {{ end }} behind its block")
        return self.ended_by


def _pieces(text: str) -> Iterator[str | Action]:
    """Texts and actions, in order, with the white space gone that ``{{-`` and ``-}}`` take with them."""
    place, trims = 0, False
    while True:
        begin = text.find("{{", place)
        plain = text[place:] if begin < 0 else text[place:begin]
        found = _ACTION.match(text, begin) if begin >= 0 else None
        if begin >= 0 and found is None:
            raise TemplateError("{{ is never closed", begin + 1, "write }} behind it")
        plain = plain.lstrip() if trims else plain
        plain = plain.rstrip() if found and found["trim"] else plain
        if plain:
            yield plain
        if found is None:
            return
        trims, place = bool(found["after"]), found.end()
        if not _COMMENT.fullmatch(found["body"]):
            yield read_action(found["body"], found.start("body") + 1)


def _check_names(block: Block, known: frozenset[str]) -> None:
    """Variables that nobody gave a value to are told of before an alert needs them."""
    for part in block:
        if isinstance(part, str):
            continue
        for variable in _variables(part.value):
            if variable not in known | {"", "$"}:
                hint = meant(variable, sorted(known - {""}))
                raise TemplateError(f"the variable {variable} is unknown", part.column, hint)
        if isinstance(part, Assign):
            if not part.declared and part.variable not in known:
                raise TemplateError(f"the variable {part.variable} is unknown", part.column, "write := the first time")
            known |= {part.variable}
        elif isinstance(part, If):
            _check_names(part.then, known | {part.variable})
            _check_names(part.otherwise, known | {part.variable})
        elif isinstance(part, Range):
            _check_names(part.body, known | {part.key, part.item})
            _check_names(part.otherwise, known)


def _variables(operand: Operand) -> Iterator[str]:
    """The variables that a value is made of."""
    if isinstance(operand, Pipeline):
        for command in operand.commands:
            yield from _variables(command)
    elif isinstance(operand, Call):
        for argument in operand.arguments:
            yield from _variables(argument)
    elif isinstance(operand, Field) and operand.of is not None:
        yield from _variables(operand.of)
    elif isinstance(operand, Field):
        yield operand.variable
