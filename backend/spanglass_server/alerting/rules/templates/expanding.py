"""Filling in a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.templates.functions import called
from spanglass_server.alerting.rules.templates.nodes import (
    Assign,
    Block,
    Call,
    Constant,
    Field,
    If,
    Output,
    Pipeline,
    Range,
    TemplateError,
)
from spanglass_server.alerting.rules.templates.parsing import parse_template
from spanglass_server.alerting.rules.templates.printf import MAX_LENGTH, text_of
from spanglass_server.alerting.rules.templates.values import field_of, is_true

if TYPE_CHECKING:
    from spanglass_server.alerting.rules.templates.nodes import Operand
    from spanglass_server.alerting.rules.templates.values import Filling

_MAX_ROUNDS = 100_000  # parts that are written, and functions that are called
_MAX_QUERIES = 100


def expand(text: str, filling: Filling) -> str:
    """Fill in a template. Raises ``TemplateError``."""
    if "{{" not in text:
        return text
    writer = _Writer(filling)
    variables = {
        "$": filling.dot,
        "$labels": filling.labels,
        "$externalLabels": filling.external_labels,
        "$externalURL": filling.external_url,
        "$value": filling.value,
    }
    try:
        writer.write(parse_template(text), filling.dot, [variables])
    except RecursionError:
        raise TemplateError("values within values, too deep") from None
    whole = "".join(writer.written)[:MAX_LENGTH]
    return whole.encode(errors="replace").decode()  # half a character, such as of "\\ud800", can't be kept


def expand_or_say(text: str, filling: Filling) -> str:
    """Fill in a template; what went wrong instead of it, for an alert must not fail by its words."""
    try:
        return expand(text, filling)
    except TemplateError as error:
        return f"<error expanding template: {error.message}>"


class _Writer:
    """Writes blocks; ``scopes`` are the variables of blocks, the innermost last."""

    def __init__(self, filling: Filling) -> None:
        self._filling = filling
        self._rounds = 0
        self._queries = 0
        self._length = 0
        self.written: list[str] = []

    def write(self, block: Block, dot: Any, scopes: list[dict[str, Any]]) -> None:
        """Write a block."""
        for part in block:
            self._count()
            if self._length > MAX_LENGTH:
                return  # what comes would be cut off
            if isinstance(part, str):
                self._put(part)
                continue
            value = self._value(part.value, dot, scopes)
            if isinstance(part, Output):
                self._put(text_of(value))
            elif isinstance(part, Assign):
                self._assign(part, value, scopes)
            elif isinstance(part, If):
                self._if(part, value, dot, scopes)
            else:
                self._range(part, value, dot, scopes)

    def _put(self, text: str) -> None:
        self.written.append(text)
        self._length += len(text)

    def _count(self) -> None:
        self._rounds += 1
        if self._rounds > _MAX_ROUNDS:
            raise TemplateError("it goes on and on")

    def _called(self, name: str, arguments: list[Any]) -> Any:
        self._count()
        self._queries += name == "query"
        if self._queries > _MAX_QUERIES:
            raise TemplateError(f"it asks more than {_MAX_QUERIES} queries")
        return called(name, arguments, self._filling)

    def _assign(self, part: Assign, value: Any, scopes: list[dict[str, Any]]) -> None:
        scope = next(scope for scope in reversed(scopes) if part.declared or part.variable in scope)
        scope[part.variable] = value

    def _if(self, part: If, value: Any, dot: Any, scopes: list[dict[str, Any]]) -> None:
        scope = {part.variable: value} if part.variable else {}
        if is_true(value):
            self.write(part.then, value if part.rebinds else dot, [*scopes, scope])
        else:
            self.write(part.otherwise, dot, [*scopes, scope])

    def _range(self, part: Range, value: Any, dot: Any, scopes: list[dict[str, Any]]) -> None:
        if not isinstance(value, list) and not hasattr(value, "items"):
            raise TemplateError(f"range goes over samples or labels, not over {text_of(value)}")
        items = list(enumerate(value)) if isinstance(value, list) else sorted(value.items())
        for key, item in items:
            self.write(part.body, item, [*scopes, {part.key: key, part.item: item}])
        if not items:
            self.write(part.otherwise, dot, [*scopes, {}])

    def _value(self, operand: Operand, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Field):
            return self._field(operand, dot, scopes)
        if isinstance(operand, Call):
            return self._called(operand.name, [self._value(each, dot, scopes) for each in operand.arguments])
        return self._piped(operand, dot, scopes)

    def _piped(self, pipeline: Pipeline, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        value = self._value(pipeline.commands[0], dot, scopes)
        for command in pipeline.commands[1:]:
            if isinstance(command, Call):
                arguments = [self._value(each, dot, scopes) for each in command.arguments]
                value = self._called(command.name, [*arguments, value])
        return value

    def _field(self, field: Field, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        value = dot
        if field.of is not None:
            value = self._piped(field.of, dot, scopes)
        elif field.variable:
            value = next(scope[field.variable] for scope in reversed(scopes) if field.variable in scope)
        for name in field.names:
            value = field_of(value, name)
        return value
