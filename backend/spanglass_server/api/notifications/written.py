"""What is configured as somebody writes it: a JSON value, or YAML, whose problems are told with line and column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import ApiError
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.forms.nodes import Node


@dataclass(frozen=True, slots=True)
class Written:
    """A value, with the places of its parts where it was YAML, and what is wrong with the text itself."""

    value: Any
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    problem: Problem | None = None

    def placed(self, problem: Problem) -> Problem:
        """Return a problem with its line and column: those of what it is about, else of what holds that."""
        path = problem.path
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        line, column = self.places.get(path, (0, 0))
        return replace(problem, line=line, column=column) if line and not problem.line else problem


def written_of(fields: Mapping[str, Any]) -> Written:
    """Read the body's ``value`` or ``yaml``; ApiError where there is neither, or both."""
    if ("value" in fields) == ("yaml" in fields):
        hint = "send the thing as value, in JSON, or as yaml, a text"
        raise ApiError("bad_request", "one of the fields value and yaml is needed", field="value", hint=hint)
    if "value" in fields:
        return Written(fields["value"])
    if not isinstance(fields["yaml"], str):
        raise ApiError("bad_request", "yaml is no text", field="yaml", hint="send a JSON string")
    try:
        root = yaml_tree(fields["yaml"])
    except TreeError as error:
        return Written(None, problem=Problem(str(error), "", error.line, error.column))
    return Written(None) if root is None else Written(_plain(root), dict(_places(root)))


def _plain(node: Node) -> Any:
    """Return a node as JSON; what YAML takes for a number and is none to people, such as 22:00, is the text it was."""
    if node.sort == "list":
        return [_plain(item) for item in node.items]
    if node.sort == "mapping":
        return {entry.key: _plain(entry.value) for entry in node.entries}
    if node.sort == "null":
        return None
    if node.sort == "bool":
        return node.text.lower() in {"true", "yes", "on"}
    return _number(node.text) if node.sort == "number" else node.text


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _places(node: Node) -> Iterator[tuple[str, tuple[int, int]]]:
    yield node.path, (node.line, node.column)
    for item in node.items:
        yield from _places(item)
    for entry in node.entries:
        yield from _places(entry.value)
        yield entry.value.path, (entry.line, entry.column)
