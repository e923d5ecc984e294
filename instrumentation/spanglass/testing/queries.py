"""The SQL queries among captured spans: each once, and grouped by what they have in common."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.testing.plain import SpanDict

# Names of the attributes, of today's conventions and of those before 1.23.
_TEXT = ("db.query.text", "db.statement")
_SYSTEM = ("db.system.name", "db.system")
_NOT_SQL = frozenset({"redis", "memcached", "mongodb", "elasticsearch", "opensearch", "cassandra", "dynamodb", "hbase"})

_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_SPACE = re.compile(r"\s+")

#: Instrumentations that make spans of SQL queries.
SQL_INSTRUMENTATIONS = (
    "aiopg",
    "asyncpg",
    "dbapi",
    "mysql",
    "mysqlclient",
    "psycopg",
    "psycopg2",
    "pymssql",
    "pymysql",
    "sqlalchemy",
    "sqlite3",
    "tortoiseorm",
)

#: So often and more, the same text is taken for a query in a loop.
REPEATED = 3


def query_text(span: SpanDict) -> str:
    """Return the text of a database call on one line; empty where the span is none."""
    attributes = span["attributes"]
    text = next((attributes[key] for key in _TEXT if attributes.get(key)), "")
    return _SPACE.sub(" ", str(text)).strip()


def sql_queries(spans: Sequence[SpanDict]) -> list[SpanDict]:
    """Return the spans of SQL queries by their start; of a library's and its driver's span for one call, the outer."""
    found = sorted(filter(_is_sql, spans), key=lambda span: (span["start_ns"], -span["duration_ns"], span["span_id"]))
    kept: list[SpanDict] = []
    for span in found:
        if not any(_is_same_call(outer, span) for outer in kept):
            kept.append(span)
    return kept


def shape(text: str) -> str:
    """Return a query without its values: numbers, texts and lists of them become ``?``."""
    return _LIST.sub("(?)", _LITERAL.sub("?", text))


def grouped(queries: Sequence[SpanDict]) -> list[tuple[int, str]]:
    """Count the queries by shape, the most frequent first."""
    return [(count, text) for text, count in Counter(shape(query_text(query)) for query in queries).most_common()]


def explain(queries: Sequence[SpanDict], limit: int) -> str:
    """Say that there are more queries than the limit, which ones, and what is likely to help."""
    lines = [f"at most {limit} SQL {_noun(limit)} expected, {len(queries)} made:"]
    groups = grouped(queries)
    lines += [f"  {count:>4} x  {text}" for count, text in groups]
    most = groups[0][0]
    if most >= REPEATED:
        lines.append(
            f"  hint: one query was made {most} times. If it runs once for each row of another (N+1), load all rows "
            "with one query: a join, IN (...), or the ORM's eager loading."
        )
    return "\n".join(lines)


def sql_is_seen() -> bool:
    """Return whether any instrumentation that makes spans of SQL queries has been loaded."""
    return any(f"opentelemetry.instrumentation.{name}" in sys.modules for name in SQL_INSTRUMENTATIONS)


def _noun(count: int) -> str:
    return "query was" if count == 1 else "queries were"


def _is_sql(span: SpanDict) -> bool:
    system = next((span["attributes"][key] for key in _SYSTEM if key in span["attributes"]), "")
    return bool(query_text(span)) and system not in _NOT_SQL


def _is_same_call(outer: SpanDict, inner: SpanDict) -> bool:
    """Return whether a driver's span repeats its library's: same text, within its time, other instrumentation."""
    return (
        outer["trace_id"] == inner["trace_id"]
        and outer["scope"] != inner["scope"]
        and inner["parent_id"] in {outer["span_id"], outer["parent_id"]}
        and outer["start_ns"] <= inner["start_ns"]
        and inner["start_ns"] + inner["duration_ns"] <= outer["start_ns"] + outer["duration_ns"]
        and query_text(outer) == query_text(inner)
    )
