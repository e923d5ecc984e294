"""Statements over several lines: what they look like, and that nothing but blanks changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_core.statement_layout import MOST_CHARACTERS, MOST_NESTED, lay_out

CASES = {
    "SELECT o.id, o.total FROM orders AS o LEFT OUTER JOIN users u ON u.id = o.user_id AND u.active WHERE o.at BETWEEN "
    "$1 AND $2 AND (o.state = 'a  FROM b' OR o.total > 5) GROUP BY 1 ORDER BY o.at DESC LIMIT 10": """\
SELECT o.id, o.total
FROM orders AS o
LEFT OUTER JOIN users u ON u.id = o.user_id
  AND u.active
WHERE o.at BETWEEN $1 AND $2
  AND (o.state = 'a  FROM b' OR o.total > 5)
GROUP BY 1
ORDER BY o.at DESC
LIMIT 10""",
    "select * from (select id from a where x = 1 union all select id from b) t where extract(day from t.at) = 1": """\
select *
from (
  select id
  from a
  where x = 1
  union all
  select id
  from b
) t
where extract(day from t.at) = 1""",
    "SELECT 1 FROM a WHERE x = 1 AND id IN (SELECT id FROM b WHERE c) OR d": """\
SELECT 1
FROM a
WHERE x = 1
  AND id IN (
    SELECT id
    FROM b
    WHERE c
  )
  OR d""",
    "INSERT INTO t (a, b)   VALUES ($1, $2) RETURNING id": "INSERT INTO t (a, b)\nVALUES ($1, $2)\nRETURNING id",
    "UPDATE t SET a = 1, b = now() WHERE id = ?": "UPDATE t\nSET a = 1, b = now()\nWHERE id = ?",
    "DELETE FROM t WHERE a = 'it''s  --no comment'": "DELETE FROM t\nWHERE a = 'it''s  --no comment'",
    "SELECT 1 -- from here\n, 2 /* from */ FROM t": "SELECT 1 -- from here\n  , 2 /* from */\nFROM t",
    "SELECT $tag$ a  FROM b $tag$, $1 FROM t": "SELECT $tag$ a  FROM b $tag$, $1\nFROM t",
    "SELECT rank() OVER (PARTITION BY a ORDER BY b) FROM t": "SELECT rank() OVER (PARTITION BY a ORDER BY b)\nFROM t",
    "  SELECT 1 ": "SELECT 1",
    "GET user:1  x": "GET user:1  x",
    r"SELECT 'it\'s  a' FROM t": r"SELECT 'it\'s  a' FROM t",
    "SELECT '": "SELECT '",
    "": "",
}


@pytest.mark.parametrize("statement", CASES)
def test_cases_by_hand(statement):
    """Clauses begin lines, AND and OR are indented, subqueries too; strings, comments and functions stay whole."""
    assert lay_out(statement) == CASES[statement]


def test_long_lists_go_on_in_the_next_line():
    """A line ends after the comma at which it is full."""
    names = ", ".join(f"column_{place}" for place in range(30))
    lines = lay_out(f"SELECT {names} FROM t").split("\n")  # noqa: S608 - only laid out
    assert len(lines) > 3
    assert all(line.startswith("  column_") for line in lines[1:-1])
    assert max(map(len, lines)) < 110


def test_what_nobody_reads_is_left_as_it_is():
    """A statement of many thousand characters is not laid out."""
    text = f"SELECT {'1, ' * MOST_CHARACTERS}2"
    assert lay_out(text) == text


WORDS = (
    "SELECT",
    "from",
    "AND",
    "BETWEEN",
    "(",
    ")",
    ",",
    "'",
    '"',
    "a b",
    "--",
    "/*",
    "*/",
    "$$",
    "\n",
    "  ",
    "JOIN",
    ";",
)


@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_only_blanks_change(words):
    """All characters but blanks come out as they went in."""
    text = f"SELECT {' '.join(words)}"
    laid = lay_out(text)
    assert "".join(laid.split()) == "".join(text.split())


def test_nesting_makes_no_text_much_longer():
    """What is nested too deeply stays as it is, and deep subqueries do not move further in."""
    for text in ("(SELECT" * 2857, "SELECT " + "(" * 10_000 + "--\n" * 3_300):
        assert lay_out(text) == text.strip()
    deep = "SELECT a FROM (" * (MOST_NESTED - 1) + "SELECT 1" + ")" * (MOST_NESTED - 1)
    assert len(lay_out(deep)) < 12 * len(deep)
    assert "".join(lay_out(deep).split()) == "".join(deep.split())
