"""Which SQL a reader may run: one SELECT over the documented views, and nothing that touches files or the engine.

DuckDB's own parser turns the text into a tree (``json_serialize_sql`` refuses everything but SELECT), and every
table, table function and scalar function in that tree must be allowed here. The engine's connection is locked down
as well (no extensions, no configuration, files only below the data directory); this guard is what keeps a statement
away from the data directory itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.store.ports import QuerySession

#: Longest statement that is parsed: far beyond what people write, and small enough to parse at once.
MAX_CHARACTERS = 100_000

VIEWS = frozenset(signal.value for signal in Signal)

#: Functions that may stand in FROM: they make rows out of their arguments alone. (``histogram`` does not: it takes a
#: table's name as text, and so a file's.)
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"})

#: Scalar functions that read or change the engine's state, plan other statements, or only burn time.
REFUSED_FUNCTIONS = frozenset(
    {
        "current_setting",
        "getenv",
        "getvariable",
        "current_query",
        "current_query_id",
        "current_connection_id",
        "current_transaction_id",
        "txid_current",
        "nextval",
        "currval",
        "setseed",
        "sleep_ms",
        "stats",
        "write_log",
        "json_serialize_plan",
        "json_execute_serialized_sql",
        "current_database",
        "current_schema",
        "current_schemas",
        "in_search_path",
    }
)

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*", re.IGNORECASE)
#: ``SHOW`` forms that look at a query's columns; the others (databases, tables, settings) look at the engine.
_SHOW_TYPES = frozenset({"DESCRIBE", "SUMMARY"})
_HINT = "Query the views spans, logs and metrics; DESCRIBE spans lists columns, docs/data-layout.md explains them."


@dataclass(frozen=True, slots=True)
class Statement:
    """An allowed statement: its text, how to run it, and what it reads.

    ``columns`` holds every name the statement mentions (lower case), a superset of the view columns it needs; None
    when it may need all of them (``*``, DESCRIBE, a natural join ...). A statement with ``explain`` cannot be wrapped
    in another one.
    """

    sql: str
    views: frozenset[str]
    columns: frozenset[str] | None
    explain: bool


@dataclass(slots=True)
class _Found:
    """What the walk over the tree collects."""

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
    text = sql.strip().rstrip("; \t\r\n")
    if not text:
        raise _refused("The statement is empty.")
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"The statement has {len(text)} characters; at most {MAX_CHARACTERS} are taken.")
    if "\x00" in text:
        raise _refused("The statement holds a NUL character.")
    if _SHOW_TABLES.fullmatch(text):
        text = "SELECT name FROM (VALUES ('logs'), ('metrics'), ('spans')) AS views (name)"
    explain = _EXPLAIN.match(text)
    found = _Found()
    try:
        for child in _children(_tree(session, text[explain.end() :] if explain else text)):
            _walk(child, frozenset(), found)
    except RecursionError:
        raise _refused("The statement is nested too deeply.") from None
    return Statement(text, frozenset(found.views), found.columns(), explain=explain is not None)


def _refused(message: str) -> BadQuestionError:
    return BadQuestionError(message, field="sql", hint=_HINT)


def _tree(session: QuerySession, text: str) -> Any:
    """Parse a statement with DuckDB, to a JSON tree."""
    tree = json.loads(session.rows("SELECT json_serialize_sql(?) AS tree", [text])[0]["tree"])
    if tree["error"]:
        if tree["error_type"] == "parser":
            raise _refused(f"The statement cannot be parsed: {tree['error_message']}")
        raise _refused("Only SELECT, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN can be run here.")
    if len(tree["statements"]) != 1:
        raise _refused("Only one statement can be run at a time.")
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
            _walk(child, ctes, found)


def _walk_ctes(node: dict[str, Any], ctes: frozenset[str], found: _Found) -> frozenset[str]:
    """Check a node's common table expressions in order: each sees the ones before it, and itself when recursive."""
    if node["type"] == "RECURSIVE_CTE_NODE":
        ctes |= {node["cte_name"].lower()}
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
            raise _refused("Of SHOW, only SHOW TABLES can be run here.")
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
    if node.get("function_name", "").lower() in REFUSED_FUNCTIONS:
        raise _refused(f"The function {node['function_name']} cannot be used here.")


def _check_table(node: dict[str, Any], ctes: frozenset[str], found: _Found) -> None:
    name = node["table_name"].lower()
    if node["schema_name"] or node["catalog_name"]:
        raise _refused(f"The table {node['table_name']!r} is named with a schema; tables here have none.")
    if name in ctes:
        return
    if name not in VIEWS:
        raise _refused(f"There is no table {node['table_name']!r}.")
    found.views.add(name)
    found.aliases.update({name, node["alias"].lower()})


def _check_table_function(node: dict[str, Any]) -> None:
    function = node["function"]
    name = function.get("function_name", "").lower()
    if name not in TABLE_FUNCTIONS or function.get("schema") or function.get("catalog"):
        raise _refused(f"The table function {name!r} cannot be used here.")
