"""Summaries of SQL statements."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_core.query_summary import query_operation, query_summary


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("SELECT * FROM orders WHERE id = 17", "SELECT orders"),
        ("select o.id from shop.orders o join customers c on c.id = o.customer", "SELECT shop.orders customers"),
        ("INSERT INTO orders (id) VALUES (1), (2)", "INSERT orders"),
        ("UPDATE orders SET price = 3 WHERE id IN (SELECT id FROM carts)", "UPDATE orders carts"),
        ("DELETE FROM ONLY carts", "DELETE carts"),
        ('SELECT 1 FROM "Order Items"', "SELECT Order Items"),
        ("SELECT `a` FROM `b`.`c`", "SELECT b.c"),
        ("CREATE TABLE IF NOT EXISTS carts (id int)", "CREATE carts"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT x"),
        ("-- from nowhere\n/* nor\nfrom here */ SELECT 'from where' FROM orders", "SELECT orders"),
        ("SELECT * FROM (SELECT * FROM a) t JOIN a USING (id)", "SELECT a"),
        ("BEGIN", "BEGIN"),
        ("GET", "GET"),
        ("", ""),
        ("  ;;", ""),
    ],
)
def test_a_statement_is_named_by_what_it_does(text, summary):
    """Operation and tables, without values, comments and texts; each table once."""
    assert query_summary(text) == summary


def test_a_long_statement_is_not_read_to_its_end():
    """What stands beyond the first 4096 characters has no part in it, and names are at most four."""
    far = "SELECT 1 " + "x," * 5000 + " FROM far"
    many = "SELECT 1 FROM a JOIN b JOIN c JOIN d JOIN e"
    assert (query_summary(far), query_summary(many)) == ("SELECT", "SELECT a b c d")


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("select 1", "select"),
        ("-- name: get_t :one\nSELECT a FROM t", "SELECT"),
        ("/* one */ /* two */\n-- three\n  # four\nUPDATE t SET a = 1", "UPDATE"),
        ("/* a /* nested */ comment */ DELETE FROM t", "DELETE"),
        ("/* a /* that does not nest */ DELETE FROM t", "DELETE"),
        ("SELECT('hunter2')", "SELECT"),
        ("SELECT'hunter2'", "SELECT"),
        ("SELECT.5", "SELECT"),
        ("SELECT*FROM t", "SELECT"),
        ("((SELECT 1) UNION (SELECT 2))", "SELECT"),
        (";; ( /* x */ ( select 1))", "select"),
        (
            "WITH a AS (SELECT ')' FROM b), \"select\"(c) AS MATERIALIZED (SELECT 1 /* ) */) INSERT INTO t SELECT 1",
            "INSERT",
        ),
        ("with recursive a(n) as (values (1) union select n + 1 from a) select n from a", "select"),
        ("-- who\nWITH values AS (SELECT 1) DELETE FROM t", "DELETE"),
        ("WITH a AS (SELECT 1", "WITH"),
        ("COMMIT;", "COMMIT"),
        ("shop.refill_stock", "shop.refill_stock"),
        ("{? = call refill(1)}", "call"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("'hunter2'", ""),
        ("42", ""),
        ("-- nothing else", ""),
        ("/* never ends", ""),
        (" \n\t ", ""),
        ("", ""),
    ],
)
def test_the_operation_of_a_statement(text, operation):
    """Comments and parentheses come before it, values right behind it, and neither is part of it."""
    assert query_operation(text) == operation


@given(st.text(st.sampled_from("-/*'\"();,sSeEwWiItThH aAsS()1\n#$"), max_size=60))
def test_an_operation_is_a_word_of_the_text(text):
    """Whatever is given, the result is a name that stands in it, or empty."""
    operation = query_operation(text)
    assert operation in text
    assert not operation or re.fullmatch(r"[A-Za-z_][\w.$]*", operation)


@pytest.mark.parametrize("part", ["/*", "(", "--\n", "WITH a AS ('", "a", ";", "/**/"])
def test_hostile_texts_take_no_time(part):
    """A long text of what has to be passed over is read in time that grows with its length at most."""
    begin = time.thread_time()
    query_operation(part * 100_000)
    assert time.thread_time() - begin < 5
