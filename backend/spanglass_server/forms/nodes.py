"""Trees of values with their places, from YAML text or from JSON values, so that one reader takes both."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Sort = Literal["text", "number", "bool", "null", "list", "mapping"]

#: More is a mistake, or aliases that refer to each other without end.
MAX_NODES = 100_000
MAX_DEPTH = 40
MAX_CHARACTERS = 2_000_000

_SORTS: dict[str, Sort] = {"int": "number", "float": "number", "bool": "bool", "null": "null"}
_MERGE = "tag:yaml.org,2002:merge"


class TreeError(ValueError):
    """The text is no tree of values; ``line`` and ``column`` count from 1, 0 where unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Node:
    """A value: ``text`` of a scalar as it was written, ``items`` of a list, ``entries`` of a mapping.

    ``path`` is written as in ``panels[2].title``; ``line`` and ``column`` count from 1 and are 0 for JSON.
    ``text_column`` is where the first character of a scalar's text stands in its line, 0 where that is not known.
    """

    sort: Sort
    path: str
    line: int = 0
    column: int = 0
    text: str = ""
    items: tuple[Node, ...] = ()
    entries: tuple[Entry, ...] = ()
    text_column: int = 0

    def named(self, name: str) -> Node | None:
        """The value of a key of a mapping, None if it has none."""
        return next((entry.value for entry in self.entries if entry.key == name), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its own place."""

    key: str
    line: int
    column: int
    value: Node


@dataclass(slots=True)
class _Budget:
    """How many nodes may still be made."""

    left: int = field(default=MAX_NODES)

    def take(self, depth: int, line: int = 0, column: int = 0) -> None:
        self.left -= 1
        if self.left < 0:
            raise TreeError(f"more than {MAX_NODES} values: is it the right file?", line, column)
        if depth > MAX_DEPTH:
            raise TreeError(f"nested deeper than {MAX_DEPTH} levels", line, column)


def yaml_tree(text: str) -> Node | None:
    """Read YAML; None for a text that holds no value. TreeError for what is no YAML."""
    with _tree_errors(text):
        # compose() builds nodes only, whatever the loader
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if root is None else _of_yaml(root, "", 0, _Budget())


def yaml_trees(text: str) -> tuple[Node, ...]:
    """Read YAML of any number of documents. TreeError for what is no YAML."""
    with _tree_errors(text):
        roots: list[yaml.Node] = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        budget = _Budget()
        return tuple(_of_yaml(root, "", 0, budget) for root in roots)


@contextmanager
def _tree_errors(text: str) -> Iterator[None]:
    """Turn what YAML says of a text into ``TreeError``."""
    if len(text) > MAX_CHARACTERS:
        raise TreeError(f"longer than {MAX_CHARACTERS} characters: is it the right file?")
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise TreeError(f"not valid YAML: {error.problem}", *place) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise TreeError(f"not valid YAML: {error.reason}", line) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise TreeError(f"not valid YAML: {type(error).__name__}") from None


def json_tree(value: Any) -> Node:
    """Take a JSON value. TreeError for one that is too large."""
    return _of_json(value, "", 0, _Budget())


def _of_yaml(node: yaml.Node, path: str, depth: int, budget: _Budget) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    budget.take(depth, line, column)
    if isinstance(node, yaml.ScalarNode):
        sort = _SORTS.get(node.tag.rpartition(":")[2], "text")
        return Node(sort, path, line, column, text=str(node.value), text_column=_text_column(node, column))
    if isinstance(node, yaml.SequenceNode):
        items = (_of_yaml(item, f"{path}[{place}]", depth + 1, budget) for place, item in enumerate(node.value))
        return Node("list", path, line, column, items=tuple(items))
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the three sorts of nodes there are
    own = tuple(_yaml_entries(node, path, depth, budget))
    names = {entry.key for entry in own}
    merged = tuple(entry for entry in _merged(node, path, depth, budget) if entry.key not in names)
    return Node("mapping", path, line, column, entries=own + merged)


def _text_column(node: yaml.ScalarNode, column: int) -> int:
    """Behind the quotes if there are some; unknown in blocks, and in texts of several lines."""
    if node.style in ("|", ">") or node.start_mark.line != node.end_mark.line:
        return 0
    return column + bool(node.style)


def _yaml_entries(node: yaml.MappingNode, path: str, depth: int, budget: _Budget) -> Iterator[Entry]:
    for key, value in node.value:
        if key.tag == _MERGE:
            continue
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode):
            raise TreeError("a key must be a word", line, column)
        yield Entry(key.value, line, column, _of_yaml(value, _below(path, key.value), depth + 1, budget))


def _merged(node: yaml.MappingNode, path: str, depth: int, budget: _Budget) -> Iterator[Entry]:
    """Entries of the mappings that ``<<`` names; the first that has a key counts."""
    seen: set[str] = set()
    for key, value in node.value:
        if key.tag != _MERGE:
            continue
        for source in value.value if isinstance(value, yaml.SequenceNode) else (value,):
            if not isinstance(source, yaml.MappingNode):
                raise TreeError("<< takes a mapping, or a list of them", value.start_mark.line + 1)
            for entry in _of_yaml(source, path, depth + 1, budget).entries:
                if entry.key not in seen:
                    seen.add(entry.key)
                    yield entry


def _of_json(value: Any, path: str, depth: int, budget: _Budget) -> Node:
    budget.take(depth)
    if isinstance(value, dict):
        pairs = [(key, _of_json(item, _below(path, key), depth + 1, budget)) for key, item in value.items()]
        return Node("mapping", path, entries=tuple(Entry(key, 0, 0, item) for key, item in pairs))
    if isinstance(value, list | tuple):
        items = (_of_json(item, f"{path}[{place}]", depth + 1, budget) for place, item in enumerate(value))
        return Node("list", path, items=tuple(items))
    if isinstance(value, str):
        return Node("text", path, text=value)
    sort: Sort = "null" if value is None else "bool" if isinstance(value, bool) else "number"
    return Node(sort, path, text=json.dumps(value))  # orjson refuses whole numbers above 64 bits


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
