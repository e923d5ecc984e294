"""Text to syntax tree and back, and errors."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spanglass_server.query.language import FilterError, format_filter, parse_field, parse_filter
from spanglass_server.query.language.parsing.ast import (
    And,
    Compare,
    Exists,
    Field,
    In,
    Not,
    Operator,
    Or,
    Related,
    Relation,
    Text,
    Value,
)
from spanglass_server.query.language.parsing.parser import MAX_DEPTH, MAX_LENGTH, MAX_RELATIONS, MAX_TERMS
from spanglass_server.query.language.parsing.text import BARE_VALUE, BARE_WORD, KEYWORDS

A, B, C = (Text(Value(letter)) for letter in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", And(())),
        ("  \n", And(())),
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a && b || c", Or((And((A, B)), C))),
        ("a or b c", Or((A, And((B, C))))),
        ("(a or b) c", And((Or((A, B)), C))),
        ("not a b", And((Not(A), B))),
        ("-a", Not(A)),
        ("!a", Not(A)),
        ("not -a", Not(Not(A))),
        ("-(a b)", Not(And((A, B)))),
        ("a - b", And((A, Text(Value("-")), B))),
        ('"free text"', Text(Value("free text", quoted=True))),
        ("'it\\'s'", Text(Value("it's", quoted=True))),
        ("it's", Text(Value("it's"))),
        ('"and"', Text(Value("and", quoted=True))),
        ("timeout in checkout", And((Text(Value("timeout")), Text(Value("in")), Text(Value("checkout"))))),
    ],
)
def test_words_and_logic(text, tree):
    """``not`` binds tightest, then ``and`` (written or not), then ``or``; other words are free text."""
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [
        ("k = v", Field("k"), "=", Value("v")),
        ("k==v", Field("k"), "=", Value("v")),
        ("k:v", Field("k"), "=", Value("v")),
        ("k: v", Field("k"), "=", Value("v")),
        ("k:>=5", Field("k"), ">=", Value("5")),
        ("k!=v", Field("k"), "!=", Value("v")),
        ("k>500ms", Field("k"), ">", Value("500ms")),
        ('k =~ "x"', Field("k"), "~", Value("x", quoted=True)),
        ("k!~v", Field("k"), "!~", Value("v")),
        ("k:-5", Field("k"), "=", Value("-5")),
        ("url.full:http://shop/cart?id=7&x=~", Field("url.full"), "=", Value("http://shop/cart?id=7&x=~")),
        (r'k ~ "\d+\\\"x"', Field("k"), "~", Value(r"\d+\"x", quoted=True)),
        ('"my key" = v', Field("my key", quoted=True), "=", Value("v")),
        ('span."my key" = v', Field("my key", quoted=True, position="span"), "=", Value("v")),
        ("resource.k = v", Field("resource.k"), "=", Value("v")),
        ("service:check*", Field("service"), "=", Value("check*")),
        ("exists = in", Field("exists"), "=", Value("in")),
    ],
)
def test_comparisons(text, field, operator, value):
    """Keys and values may be bare or quoted, with or without spaces, with any spelling of the operator."""
    assert parse_filter(text) == Compare(field, Operator(operator), value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("k in (a, 'b c',5)", In(Field("k"), (Value("a"), Value("b c", quoted=True), Value("5")))),
        ("k NOT IN(a)", Not(In(Field("k"), (Value("a"),)))),
        ("k exists", Exists(Field("k"))),
        ("(k not exists)", Not(Exists(Field("k")))),
        ("-k exists", Not(Exists(Field("k")))),
        ("existsence", Text(Value("existsence"))),
    ],
)
def test_lists_and_existence(text, tree):
    """``in``, ``not in``, ``exists`` and ``not exists`` follow a key."""
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("status =", 9, "expected a value, found the end of the filter"),
        ("a = = b", 5, "expected a value, found '='"),
        ("status = and x", 10, "expected a value, found 'and'"),
        ("(a", 3, "expected ), found the end of the filter"),
        ("a)", 2, "expected the end, found ')'"),
        ("a and", 6, "expected a key, text, ( or not, found the end of the filter"),
        ("or a", 1, "expected a key, text, (, not or the end, found 'or'"),
        ("k in (a b)", 9, "expected , or ), found 'b'"),
        ("= 5", 1, "expected a key, text, (, not or the end, found '='"),
        ('a = "b', 5, "this quote is not closed"),
        ("duration > 5xs", 12, "unknown unit 'xs'"),
        ("version >= 1.2.3", 12, "'1.2.3' is not a number"),
        ("size < 1e999", 8, "1e999 is too large a number"),
        ("a \ud800", 3, "half of a surrogate pair is not text"),
        ("(" * 60 + "a" + ")" * 60, MAX_DEPTH + 1, "too many brackets or negations inside one another"),
        ("-" * 60 + "a", MAX_DEPTH + 1, "too many brackets or negations inside one another"),
        ("-(" * 60 + "a" + ")" * 60, MAX_DEPTH + 1, "too many brackets or negations inside one another"),
        ("a " * (MAX_TERMS + 1), 2 * MAX_TERMS + 1, "the filter has too many conditions"),
        ("a" * (MAX_LENGTH + 1), MAX_LENGTH + 1, f"the filter has {MAX_LENGTH + 1} characters"),
    ],
)
def test_errors_point_at_the_mistake(text, column, message):
    """A bad filter raises FilterError with the column of the first wrong character and what was expected."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text)

    assert (caught.value.column, caught.value.message) == (column, message)
    assert caught.value.expected or caught.value.hint


def test_error_lists_operators():
    """Where an operator may stand, the error lists all of them."""
    with pytest.raises(FilterError) as caught:
        parse_filter("a, b")

    assert caught.value.expected[:4] == ("=", "!=", "<", "<=")
    assert caught.value.hint == "put a value that holds a comma in quotes, or write a list as key in (a, b)"


def test_long_lists_and_wide_filters_parse():
    """A hundred trace ids, or as many conditions as allowed, are no problem."""
    ids = [f"{number:032x}" for number in range(100)]

    assert len(parse_filter(f"trace_id in ({','.join(ids)})").values) == 100
    assert len(parse_filter("a " * MAX_TERMS).terms) == MAX_TERMS


@pytest.mark.parametrize(
    ("text", "field"),
    [("http.route", Field("http.route")), ('span."a b"', Field("a b", quoted=True, position="span"))],
)
def test_one_key(text, field):
    """A key is read alone as it is in a filter."""
    assert parse_field(text) == field


@pytest.mark.parametrize("text", ["", "a b", "a=b", "(a)", "and", '"a'])
def test_no_key(text):
    """What is not exactly one key is refused."""
    with pytest.raises(FilterError, match="is not one key"):
        parse_field(text)


def _bare(pattern):
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: text.lower() not in KEYWORDS)


QUOTED = st.just(True)  # noqa: FBT003 - a strategy's value has no name
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
words = _bare(BARE_WORD).filter(lambda text: not text.startswith("-") or text == "-")
quoted_values = st.builds(Value, texts, quoted=QUOTED)
values = quoted_values | st.builds(Value, _bare(BARE_VALUE))
fields = (
    st.builds(Field, words)
    | st.builds(Field, texts, quoted=QUOTED)
    | st.builds(Field, texts, quoted=QUOTED, position=st.sampled_from(["span", "resource", "log"]))
)
equalities = st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL, Operator.MATCHES, Operator.NOT_MATCHES])
orders = st.sampled_from([Operator.LESS, Operator.LESS_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL])
conditions = st.one_of(
    st.builds(Compare, fields, equalities, values),
    st.builds(
        Compare, fields, orders, quoted_values | st.sampled_from([Value("5ms"), Value("-1e3"), Value("2026-11-21")])
    ),
    st.builds(In, fields, st.lists(values, min_size=1, max_size=3).map(tuple)),
    st.builds(Exists, fields),
    st.builds(Text, quoted_values | st.builds(Value, words)),
)


def _joined(children):
    terms = st.lists(children, min_size=2, max_size=4).map(tuple)
    related = st.builds(Related, st.sampled_from(Relation), children | st.just(And(())))
    counted = st.builds(Related, st.sampled_from(Relation), children, orders, st.integers(0, 10**9))
    return st.builds(And, terms) | st.builds(Or, terms) | st.builds(Not, children) | related | counted


def _has_few_relations(tree):
    return sum(map(repr(tree).count, ["Related("])) <= MAX_RELATIONS


@settings(deadline=None)
@given(st.recursive(conditions, _joined, max_leaves=12).filter(_has_few_relations))
def test_written_trees_read_back(tree):
    """Whatever a tree says, its text parses to an equal tree."""
    assert parse_filter(format_filter(tree)) == tree


pieces = st.sampled_from(
    [
        *"()=<>~!:,-\"'\\*. ",
        "and",
        "or",
        "not",
        "in",
        "exists",
        "key",
        "span.",
        "5ms",
        "1.2.3",
        "&&",
        "\n",
        "\ud800",
        "é",
    ]
)


@settings(deadline=None)
@given(st.lists(pieces, max_size=30).map("".join) | st.text(max_size=30))
@example("a not in (")
@example('span."')
def test_any_text_parses_or_says_why(text):
    """No text crashes the parser: an error points into the text or right behind it, and a tree can be written again."""
    error = tree = None
    try:
        tree = parse_filter(text)
    except FilterError as caught:
        error = caught

    if tree is not None:
        assert parse_filter(format_filter(tree)) == tree
    else:
        assert 1 <= error.column <= len(text) + 1
        assert error.message
