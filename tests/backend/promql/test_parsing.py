"""The syntax of PromQL: what is an expression, and where one that is none goes wrong."""

from __future__ import annotations

import pytest

from spanglass_server.promql.engine import PromqlError, instant
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.ports import Matcher


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: parse error: no expression found in input"),
        ("g{", "1:3: parse error: unexpected end of input inside braces"),
        ("sum(", "1:5: parse error: unclosed left parenthesis"),
        ("g[5m", "1:5: parse error: unclosed left bracket"),
        ("g + ", "1:5: parse error: unexpected end of input"),
        ("g g", '1:3: parse error: unexpected identifier "g"'),
        ("g ^ ^ 2", "1:5: parse error: unexpected <op:^>"),
        ("g + group_left g", "1:5: parse error: unexpected <group_left>"),
        ("rate(g)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
        ("rate()", '1:1: parse error: expected 1 argument(s) in call to "rate", got 0'),
        ("clamp(g)", '1:1: parse error: expected 3 argument(s) in call to "clamp", got 1'),
        ("unknown(g)", '1:1: parse error: unknown function with name "unknown"'),
        ("1 +\n  unknown(g)", '2:3: parse error: unknown function with name "unknown"'),
        ("holt_winters(g[5m], 0.1, 0.1)", '1:1: parse error: unknown function with name "holt_winters"'),
        (
            "topk(g)",
            "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
        ),
        ("topk(g, g)", "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"),
        ("limitk(g, g)", "1:8: parse error: expected type scalar in aggregation parameter, got instant vector"),
        ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
        ("sum(g[5m])", "1:5: parse error: expected type instant vector in aggregation expression, got range vector"),
        ("g + g[5m]", "1:5: parse error: binary expression must contain only scalar and instant vector types"),
        (
            '-"a"',
            (
                "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, "
                'got "string"'
            ),
        ),
        ("1 and g", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("g + on(a) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
        ("g + bool g", "1:3: parse error: bool modifier can only be used on comparison operators"),
        ("g + on(a) group_left(a) g", '1:3: parse error: label "a" must not occur in ON and GROUP clause at once'),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ('g{__name__="x"}', '1:1: parse error: metric name must not be set twice: "g" or "x"'),
        ("g[293y]", "1:3: parse error: duration out of range"),
        ("g offset -1e300", "1:11: parse error: duration out of range"),
        ("g[1e400]", "1:3: parse error: duration out of range"),
        ("g offset NaN", '1:10: parse error: unexpected identifier "NaN"'),
        ('sum(g{a=~"b",c!~"(d"})', "1:14: parse error: error parsing regexp: `(d`"),
        ('g + {a=~"(\\\\d"}', "1:5: parse error: error parsing regexp: `(\\d`"),
        ("g[0]", "1:3: parse error: duration must be greater than 0"),
        ("(g)[5m]", "1:4: parse error: ranges only allowed for vector selectors"),
        ("time()[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
        (
            "sum(g) offset 5m",
            (
                "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector "
                "selector or a subquery"
            ),
        ),
        ("g offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
        ("'a", "1:1: parse error: unterminated quoted string"),
        ('"\\q"', "1:1: parse error: unknown escape sequence U+0071 'q'"),
        ("g)", "1:3: parse error: unexpected right parenthesis ')'"),
        ("info(g, g)", "1:9: parse error: expected label selectors only, got vector selector instead"),
    ],
)
def test_errors_with_their_places(text: str, message: str) -> None:
    """The line, the column and the words are those of Prometheus 3."""
    with pytest.raises(PromqlError) as caught:
        parse(text)
    line, column = message.split(":")[:2]
    assert (caught.value.kind, caught.value.message) == ("bad_data", message)
    assert caught.value.position == (int(line), int(column))


@pytest.mark.parametrize("duration", ["10 ^ 400", "(0 - 8) ^ 0.5", "0 ^ (0 - 1)", "1e200 * 1e200", "1e12"])
def test_durations_that_no_clock_has(duration: str) -> None:
    """A duration that is computed, and is no number or longer than 292 years, is refused as one that is written."""
    with pytest.raises(PromqlError, match="duration out of range"):
        instant(SeriesInMemory(read_series([("g", "1")], 60_000)), f"g offset ({duration} + 0)", 0)


def test_places_of_nodes() -> None:
    """Each node knows where it begins, whatever stands between."""
    tree = parse(
        "topk(scalar(sum(y) by (a)), x{b='c'} offset -5m) + on(a) # comment\n group_left sum by (q) (-rate(z[5m]))"
    )
    assert isinstance(tree, nodes.Binary)
    left, right = tree.left, tree.right
    assert isinstance(left, nodes.Aggregate)
    assert isinstance(right, nodes.Aggregate)
    assert left.param is not None
    places = (left.position, left.param.position, left.expr.position, right.position, right.expr.position)
    assert places == (0, 5, 28, 79, 91)


def test_selectors_with_everything() -> None:
    """Names in braces, alternatives, offsets, times before 1970, ranges of their own."""
    tree = parse('{"http.requests", a=~"x|y" or b!="z"}')
    assert isinstance(tree, nodes.VectorSelector)
    assert tree.any_of == (
        (Matcher("__name__", "=", "http.requests"), Matcher("a", "=~", "x|y")),
        (Matcher("b", "!=", "z"),),
    )
    tree = parse("sum_over_time((g @ -1.5)[1h30m:1m] @ end() offset -5m)")
    assert isinstance(tree, nodes.Call)
    subquery = tree.args[0]
    assert isinstance(subquery, nodes.Subquery)
    assert (subquery.range, subquery.step, subquery.offset, subquery.at) == (5_400_000, 60_000, -300_000, "end")
    inner = nodes.unwrapped(subquery.expr)
    assert isinstance(inner, nodes.VectorSelector)
    assert inner.at == -1500


@pytest.mark.parametrize("text", ["(" * 2000 + "1" + ")" * 2000, "abs(" * 400 + "g" + ")" * 400])
def test_expressions_that_are_too_deep(text: str) -> None:
    """What is nested beyond any use is refused, as a query that is wrong."""
    with pytest.raises(PromqlError, match="nested too deeply"):
        instant(SeriesInMemory(read_series([("g", "1")], 1000)), text, 0)


def test_expressions_that_are_too_long() -> None:
    """A text that would take the parser long is refused before; one that is long enough has no place."""
    with pytest.raises(PromqlError, match="5999 tokens of at most 5000"):
        parse("+".join(["g"] * 3000))
    with pytest.raises(PromqlError, match="too long to tell where"):
        parse("+".join(["g"] * 200) + " g")
