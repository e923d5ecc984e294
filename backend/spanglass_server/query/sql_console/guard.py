"""Which SQL a reader may run: one SELECT over the documented views, and nothing that touches files or the engine.

DuckDB's own parser turns the text into a tree (``json_serialize_sql`` refuses everything but SELECT), and every
table, table function, scalar and aggregate function in that tree must be on a list here. Two more walls stand behind
it: DuckDB's own answer to which tables the statement reads (``read.py``), and the engine's connection, which has no
extensions and no configuration, and opens no file but stored segments (``store/sessions/connections.py``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import duckdb

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.sql_console.views import MEASUREMENTS
from spanglass_server.signals import ASKED, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.store.ports import QuerySession

#: Longest statement that is parsed: far beyond what people write, and small enough to parse at once.
MAX_CHARACTERS = 100_000

#: Views that are always there, besides those of ``QuerySession.offered``.
VIEWS = frozenset({*(signal.value for signal in ASKED), MEASUREMENTS})

#: Functions that may stand in FROM: they make rows out of their arguments alone. (``histogram`` does not: it takes a
#: table's name as text, and so a file's.)
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"})

#: Scalar and aggregate functions that may be called.
FUNCTIONS = frozenset(
    word
    for line in (files(__package__) / "allowed_functions.txt").read_text().splitlines()
    if not line.startswith("#")
    for word in line.lower().split()
)

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*", re.IGNORECASE)
#: ``SHOW`` forms that look at a query's columns; the others (databases, tables, settings) look at the engine.
_SHOW_TYPES = frozenset({"DESCRIBE", "SUMMARY"})
_HINT = "Query the views spans, logs and metrics; DESCRIBE spans lists columns, docs/data-layout.md explains them."


@dataclass(frozen=True, slots=True)
class Statement:
    """An allowed statement: its text, the question in it (without EXPLAIN), and what it reads.

    ``columns`` holds every name the statement mentions (lower case), a superset of the view columns it needs; None
    when it may need all of them (``*``, DESCRIBE, a natural join ...). A statement with ``explain`` cannot be wrapped
    in another one.
    """

    sql: str
    question: str
    views: frozenset[str]
    columns: frozenset[str] | None
    explain: bool


@dataclass(slots=True)
class _Found:
    """What the walk over the tree collects; ``known`` are the views that there are."""

    known: frozenset[str]
    views: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    single_names: set[str] = field(default_factory=set)
    whole_rows: bool = False

    def columns(self) -> frozenset[str] | None:
        """Names of the columns that may be needed; a table's name standing alone is a whole row."""
        if self.whole_rows or self.single_names & self.aliases:
            return None
        return frozenset(self.names)


def check(session: QuerySession, sql: str) -> Statement:
    """Allow a statement or raise ``BadQuestionError`` saying what is refused and what to write instead."""
    if len(sql) > MAX_CHARACTERS:
        raise refused(f"The statement has {len(sql)} characters; at most {MAX_CHARACTERS} are taken.")
    if "\x00" in sql:
        raise refused("The statement holds a NUL character.")
    text, known = _bare(sql), VIEWS | session.offered().keys()
    if not text:
        raise refused("The statement is empty.")
    if _SHOW_TABLES.fullmatch(text):
        names = ", ".join(f"({quote_text(name)})" for name in sorted(known))
        text = f"SELECT name FROM (VALUES {names}) AS views (name)"  # noqa: S608 - our own names
    explain = _EXPLAIN.match(text)
    question = text[explain.end() :] if explain else text
    found = _Found(known)
    try:
        for child in _children(_tree(session, question)):
            _walk(child, frozenset(), found)
    except RecursionError:
        raise refused("The statement is nested too deeply.") from None
    return Statement(text, question, frozenset(found.views), found.columns(), explain=explain is not None)


def _bare(sql: str) -> str:
    """Return a statement without the comments before it, and without the semicolon and comments after it."""
    raw = sql.encode()  # places of tokens count bytes
    places = [place for place, _ in duckdb.tokenize(sql)]
    end = len(raw)
    while places and raw[places[-1] : places[-1] + 1] == b";":
        end = places.pop()
    return raw[places[0] : end].decode().strip() if places else ""


def refused(message: str) -> BadQuestionError:
    """Make the error of a statement that may not be run."""
    return BadQuestionError(message, field="sql", hint=_HINT)


def _tree(session: QuerySession, text: str) -> Any:
    """Parse a statement with DuckDB, to a JSON tree."""
    tree = json.loads(session.rows("SELECT json_serialize_sql(?) AS tree", [text])[0]["tree"])
    if tree["error"]:
        if tree["error_type"] == "parser":
            raise refused(f"The statement cannot be parsed: {tree['error_message']}")
        raise refused("Only SELECT, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN can be run here.")
    if len(tree["statements"]) != 1:
        raise refused("Only one statement can be run at a time.")
    return tree["statements"][0]


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _walk(node: Any, ctes: frozenset[str], found: _Found) -> None:
    """Check one node and everything below it; ``ctes`` are the common table expressions in scope."""
    if isinstance(node, dict):
        if "cte_map" in node:
            ctes = _walk_ctes(node, ctes, found)
        _check_node(node, ctes, found)
    for key, child in node.items() if isinstance(node, dict) else enumerate(_children(node)):
        if key != "cte_map":
            is_recursive_term = key == "right" and node["type"] == "RECURSIVE_CTE_NODE"
            _walk(child, ctes | {node["cte_name"].lower()} if is_recursive_term else ctes, found)


def _walk_ctes(node: dict[str, Any], ctes: frozenset[str], found: _Found) -> frozenset[str]:
    """Check a node's common table expressions in order, and return what is in scope after them.

    Each sees the ones before it. A recursive one sees itself in its recursive term only: in its first term, as in
    DuckDB, its own name is a table's or a file's.
    """
    for entry in node["cte_map"]["map"]:
        _walk(entry, ctes, found)
        ctes |= {entry["key"].lower()}
    return ctes


def _check_node(node: dict[str, Any], ctes: frozenset[str], found: _Found) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        _check_table(node, ctes, found)
    elif kind == "TABLE_FUNCTION":
        _check_table_function(node)
    elif kind == "SHOW_REF":
        if node["show_type"] not in _SHOW_TYPES or node["query"] is None:
            raise refused("Of SHOW, only SHOW TABLES can be run here.")
        found.whole_rows = True
    elif kind == "COLUMN_REF":
        names = [name.lower() for name in node["column_names"]]
        found.names.update(names)
        found.single_names.update(names if len(names) == 1 else ())
    elif kind in ("STAR", "POSITIONAL_REFERENCE", "PIVOT"):
        found.whole_rows = True
    elif kind == "JOIN":
        found.names.update(name.lower() for name in node["using_columns"])
        found.whole_rows |= node["ref_type"] == "NATURAL"
    function = node.get("function_name", "")
    if kind != "TABLE_FUNCTION" and function and function.lower() not in FUNCTIONS | TABLE_FUNCTIONS:
        raise refused(f"The function {function} cannot be used here, or does not exist.")


def _check_table(node: dict[str, Any], ctes: frozenset[str], found: _Found) -> None:
    name = node["table_name"].lower()
    if node["schema_name"] or node["catalog_name"]:
        raise refused(f"The table {node['table_name']!r} is named with a schema; tables here have none.")
    if name in ctes:
        return
    if name not in found.known:
        raise refused(f"There is no table {node['table_name']!r}.")
    found.views.add(name)
    found.aliases.update({name, node["alias"].lower()})


def _check_table_function(node: dict[str, Any]) -> None:
    function = node["function"]
    name = function.get("function_name", "").lower()
    if name not in TABLE_FUNCTIONS or function.get("schema") or function.get("catalog"):
        raise refused(f"The table function {name!r} cannot be used here.")
