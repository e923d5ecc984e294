"""Predicates are taken apart only where every piece is a plain comparison."""

from __future__ import annotations

import pytest

from spanglass_server.query.kept_columns.terms import Term, terms_of
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.signals import Signal

SERVICE = "resource.service.name:str"
COLUMNS = [
    SERVICE,
    "span.t:str",
    "resource.t:str",
    "span.n:int",
    "span.d:double",
    "span.b:bool",
    "span.j:json",
    "event.e:str",
    'span.a" = ?) and ("x:str',
]


def taken_apart(text):
    """The terms of a filter over spans."""
    compiled = compile_filter(parse_filter(text), Signal.SPANS, COLUMNS)
    return terms_of(Sql(compiled.sql, tuple(compiled.parameters)), Signal.SPANS)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('service.name = "web"', [Term(SERVICE, "=", ("web",))]),
        ("status = error", [Term("status_code", "=", (2,))]),
        ("n > 5.5", [Term("span.n:int", ">", (5,))]),
        ("n in (1, 2)", [Term("span.n:int", "=", (1, 2))]),
        (
            'service.name in ("a", "b") and name = "x" and duration >= 2ms and (n < 3 and kind = server)',
            [
                Term(SERVICE, "=", ("a", "b")),
                Term("name", "=", ("x",)),
                Term("duration_ns", ">=", (2_000_000,)),
                Term("span.n:int", "<", (3,)),
                Term("kind", "=", (2,)),
            ],
        ),
        ('span."a\\" = ?) and (\\"x" = "(y) AND ?"', [Term('span.a" = ?) and ("x:str', "=", ("(y) AND ?",))]),
    ],
)
def test_comparisons_are_taken_apart(text, terms):
    """Equality of texts, whole numbers in any order, nested; values stay with columns of any name."""
    assert taken_apart(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        "t = x",  # in two columns
        "name != x",
        "name ~ x",
        "name = x*",
        'name > "x"',
        "name exists",
        "status = unset",  # absent means the same
        "d = 1",
        "b = true",
        "j = x",
        "e = x",
        "n = 1 or n = 2",
        "not n = 1",
        "something",
        "never.seen = 1",
        'service.name = "unknown_service"',
        'name = "x" and e = "y"',
        "parent_span_id = 0102030405060708",
    ],
)
def test_anything_else_is_left_to_sql(text):
    """One piece that is no plain comparison is enough."""
    assert taken_apart(text) is None


def test_no_predicate_is_no_term():
    """What holds for every row asks for nothing."""
    assert terms_of(Sql("true"), Signal.SPANS) == []
