"""One action of a template, read by the parser library into nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.templates.functions import FUNCTIONS
from spanglass_server.alerting.rules.templates.nodes import Call, Constant, Field, Pipeline, TemplateError
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from lark import Lark, Token

_NO_WORDS = {
    **dict.fromkeys(("define", "template", "block"), "named templates"),
    **dict.fromkeys(("break", "continue"), "leaving a range early"),
}
_MOST_DIGITS = 20
_CONSTANTS = {"true": True, "false": False, "nil": None}


@dataclass(frozen=True, slots=True)
class Action:
    """An action as it was written: what it begins or ends, and its parts."""

    kind: str
    column: int
    value: Any = None
    variables: tuple[str, ...] = ()


def read_action(body: str, column: int) -> Action:
    """Read what stands between ``{{`` and ``}}``, ``column`` being where it begins. Raises ``TemplateError``."""
    from lark.exceptions import UnexpectedInput, VisitError  # noqa: PLC0415 - imported with the first template

    first = body.split(maxsplit=1)[0] if body.strip() else ""
    if first in _NO_WORDS:
        raise TemplateError(f"{first}: {_NO_WORDS[first]} are not possible here", column, "write it out")
    try:
        kind, variables, value = _read(body)
    except UnexpectedInput as error:
        at = error.pos_in_stream if error.pos_in_stream is not None and error.pos_in_stream >= 0 else 0
        what = body[at : at + 20].split(maxsplit=1)[0] if body[at:].strip() else "the end"
        raise TemplateError(f"{what} can't stand here", column + at, "see docs/rule-files.md#templates") from None
    except VisitError as error:
        if isinstance(error.orig_exc, TemplateError):
            raise TemplateError(error.orig_exc.message, column, error.orig_exc.hint) from None
        raise
    except TemplateError as error:
        raise TemplateError(error.message, column, error.hint) from None
    return Action(kind, column, value, variables)


class _Builder:
    """Called by the parser with the children of each rule that is complete."""

    def if_(self, children: list[Any]) -> Any:
        return "if_", (), children[-1]

    def else_if(self, children: list[Any]) -> Any:
        return "else_if", (), children[-1]

    def else_(self, _: list[Any]) -> Any:
        return "else_", (), None

    def end(self, _: list[Any]) -> Any:
        return "end", (), None

    def range_(self, children: list[Any]) -> Any:
        return "range_", *children[-1]

    def with_(self, children: list[Any]) -> Any:
        return "with_", (), children[-1]

    def with_declared(self, children: list[Any]) -> Any:
        return "with_", (_declared(children[1]),), children[-1]

    def declare(self, children: list[Any]) -> Any:
        return "declare", (_declared(children[0]),), children[-1]

    def assign(self, children: list[Any]) -> Any:
        return "assign", (_declared(children[0]),), children[-1]

    def output(self, children: list[Any]) -> Any:
        return "output", (), children[0]

    def over(self, children: list[Any]) -> Any:
        return (), children[0]

    def over_items(self, children: list[Any]) -> Any:
        return (_declared(children[0]),), children[-1]

    def over_pairs(self, children: list[Any]) -> Any:
        return (_declared(children[0]), _declared(children[1])), children[-1]

    def pipeline(self, children: list[Any]) -> Pipeline:
        for command in children[1:]:
            if not isinstance(command, Call):
                raise TemplateError("only a function can follow |", hint="such as | humanize")
        return Pipeline(tuple(children))

    def command(self, children: list[Any]) -> Any:
        first, *arguments = children
        if isinstance(first, Call):
            return Call(first.name, tuple(arguments))
        if arguments:
            raise TemplateError("only a function takes arguments", hint="put a function first, such as printf")
        return first

    def dot(self, _: list[Token]) -> Field:
        return Field(())

    def fields(self, children: list[Token]) -> Field:
        return Field(tuple(children[0][1:].split(".")))

    def variable(self, children: list[Token]) -> Field:
        variable, *names = str(children[0]).split(".")
        return Field(tuple(names), variable)

    def fields_of(self, children: list[Any]) -> Field:
        return Field(tuple(children[1][2:].split(".")), of=children[0])

    def string(self, children: list[Token]) -> Constant:
        try:
            return Constant(str(json.loads(str(children[0]), strict=False)))
        except ValueError:
            raise TemplateError(f"{children[0]} is no text", hint="write \\\\ for a backslash") from None

    def raw(self, children: list[Token]) -> Constant:
        return Constant(str(children[0][1:-1]))

    def number(self, children: list[Token]) -> Constant:
        text = str(children[0])
        if "x" not in text.lower() and any(mark in text for mark in ".eE"):
            return Constant(float(text))
        if len(text) > _MOST_DIGITS:
            raise TemplateError(f"{text[:_MOST_DIGITS]}... has too many digits", hint="write it with an e: 1e30")
        return Constant(int(text, 16 if "x" in text.lower() else 10))

    def word(self, children: list[Token]) -> Constant | Call:
        name = str(children[0])
        if name in _CONSTANTS:
            return Constant(_CONSTANTS[name])
        if name not in FUNCTIONS:
            raise TemplateError(f"there is no function {name!r}", hint=_hint(name))
        return Call(name, ())


def _hint(name: str) -> str:
    close = meant(name, FUNCTIONS)
    return close if close.startswith("did") else "docs/rule-files.md#templates lists them"


def _declared(variable: Token) -> str:
    if "." in variable or variable == "$":
        raise TemplateError(f"{variable} can't be given a value", hint="name a variable, such as $x")
    return str(variable)


def _read(body: str) -> tuple[str, tuple[str, ...], Any]:
    made: Any = _parser().parse(body)
    kind, variables, value = made
    return kind, variables, value


@cache
def _parser() -> Lark:
    from lark import Lark  # noqa: PLC0415

    builder: Any = _Builder()
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer="basic", transformer=builder)
