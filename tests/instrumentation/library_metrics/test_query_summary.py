"""Summaries of SQL statements."""

from __future__ import annotations

import pytest

from spanglass.library_metrics.query_summary import query_summary


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
        ("WITH x AS (SELECT 1) SELECT * FROM x", "WITH x"),
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
