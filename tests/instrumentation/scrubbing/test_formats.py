"""URLs, SQL and JSON: what is replaced, and that the rest stays byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass.scrubbing.scrubber import Scrubber
from spanglass.scrubbing.sql import scrub_sql

URLS = [
    ("https://a.b/c?x=1&token=abc&y=%20#f", "https://a.b/c?x=1&token=REDACTED&y=%20#f"),
    ("https://u:p@a.b:8080/c?x=1", "https://REDACTED:REDACTED@a.b:8080/c?x=1"),
    ("/cb?code=abc&state=xyz", "/cb?code=REDACTED&state=xyz"),
    ("https://a.b/#access_token=abc&y=1", "https://a.b/#access_token=REDACTED&y=1"),
    ("https://a.b/c?se=1&sig=abc%3D;b=1", "https://a.b/c?se=1&sig=REDACTED;b=1"),
    ("https://a.b/?next=https%3A%2F%2Fx%2F%3Ftoken%3Dabc123", "https://a.b/?next=REDACTED"),
    ("https://a.b/?api%5Fkey=abc", "https://a.b/?api%5Fkey=REDACTED"),
    ("https://a.b/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc/x", "https://a.b/reset/[scrubbed: jwt]/x"),
    ("https://s3/x?X-Amz-Credential=A%2Fb&X-Amz-Date=1", "https://s3/x?X-Amz-Credential=REDACTED&X-Amz-Date=1"),
]
SAME_URLS = [
    "https://a.b/c?x=1&y=%20#frag",
    "/orders/5?page=2&sort=-name&author=bob&session_count=3&key=value&code=404",
    "https://a.b/?token=REDACTED&password=",
    "https://a.b/?state=1&code=",
    "",
    "mailto:me@example.org",
    "https://a.b/?q=100%25+off",
]


@pytest.mark.parametrize(("url", "expected"), URLS)
def test_secrets_in_urls_are_replaced(url, expected):
    """User, password and secret parameters go; the URL stays one, and is not changed again."""
    assert Scrubber().url(url) == expected
    assert Scrubber().url(expected) is expected


@pytest.mark.parametrize("url", SAME_URLS)
def test_harmless_urls_are_the_same_object(url):
    """A URL without secrets is given back itself."""
    assert Scrubber().url(url) is url


def test_query_strings_alone():
    """``url.query`` has no question mark."""
    assert Scrubber().query("a=1&password=x&b") == "a=1&password=REDACTED&b"


SQL = [
    ("select * from t where name = 'O''Brien' and n = 5", "select * from t where name = ? and n = ?"),
    ("select E'a\\'b', N'x', x'00', U&'d', $$a'b$$, $t$ x $$ $t$", "select ?, ?, ?, ?, ?, ?"),
    ("select \"a'b\", `c'd`, [Order 2] from t1 where x = 'y'", "select \"a'b\", `c'd`, [Order 2] from t1 where x = ?"),
    ("select 1 /* it's 5 */ -- don't 3\n, 2", "select ? /* it's 5 */ -- don't 3\n, ?"),
    ("select a-1, a - 1, (3)-2, -1, 1e-5", "select a-?, a - ?, (?)-?, ?, ?"),
    ("where col::int4 = 5 and a[1] = ARRAY[2, 3]", "where col::int4 = ? and a[?] = ARRAY[?, ?]"),
    ("select 'cut off and", "select ?"),
    ("select 'C:\\', name from t where x = 'y' and z", "select ? and z"),
    ("values ('a', null, true) limit 10", "values (?, null, true) limit ?"),
]
PARAMETRISED = [
    "select a from t where b = $1 and c = %(x)s and d = :d and e = ? and f = @p1 and g = ?1 limit %s",
    'select "Order 2"."x1" from covid19 where r2d2 = :id_1',
    "",
]


@pytest.mark.parametrize(("text", "expected"), SQL)
def test_literals_in_sql_are_replaced(text, expected):
    """Strings and numbers go; names, comments and layout stay; a string whose end is in doubt takes more with it."""
    assert scrub_sql(text) == expected
    assert scrub_sql(expected) == expected


@pytest.mark.parametrize("text", PARAMETRISED)
def test_statements_with_parameters_are_the_same_object(text):
    """A statement without literals is given back itself."""
    assert scrub_sql(text) is text


def test_double_quotes_are_strings_where_the_system_says_so():
    """In MySQL they hold a value, in PostgreSQL a name."""
    assert scrub_sql('select "a" from t', "mysql") == "select ? from t"
    assert scrub_sql('select "a" from t', "postgresql") == 'select "a" from t'
    scrubber = Scrubber()
    attributes = {"db.system.name": "postgresql", "db.query.text": 'select "a" from t'}
    assert scrubber.attributes(attributes) is attributes
    assert scrubber.attributes(attributes | {"db.system.name": "mysql"})["db.query.text"] == "select ? from t"


def test_systems_without_sql_are_read_as_text():
    """A Redis command is no SQL: its numbers stay, its secrets go."""
    assert Scrubber().sql("SET user:1 it's 5", "redis") == "SET user:1 it's 5"
    assert Scrubber().sql("SET password=hunter2 5", "redis") == "SET password=[scrubbed: password] 5"


_CASES = json.loads((Path(__file__).parents[2] / "data" / "semconv-sql" / "db-sql-test-cases.json").read_text())


# their "comments" drops them, ours stay
@pytest.mark.parametrize("case", [each for each in _CASES if each["name"] != "comments"], ids=lambda each: each["name"])
def test_the_conventions_cases_of_sanitized_sql(case):
    """The semantic conventions' test cases come out as they say."""
    assert scrub_sql(case["input"]["query"]) in case["expected"]["db.query.text"]


JSON = [
    (
        '{"a": {"credentials": {"x": "}"}, "pin": 1234}, "b": [1, 2]}',
        '{"a": {"credentials": "[scrubbed: credential]", "pin": "[scrubbed: pin]"}, "b": [1, 2]}',
    ),
    (
        '{"m": "password=", "b": "card: 4111111111111111, ok", "n":\n  4111111111111111}',
        '{"m": "password=", "b": "card: [scrubbed: card number], ok", "n":\n  "[scrubbed: card number]"}',
    ),
    ('[{"token": null, "secret": [], "cookie": {}, "password": "x"}]',
     '[{"token": null, "secret": [], "cookie": {}, "password": "[scrubbed: password]"}]'),
    ('["m", "--password", "x y", "-token", 7, "--secret", ["--pin", [1], {"a": "--password"}, "c"]]',
     '["m", "--password", "[scrubbed: password]", "-token", 7, "--secret", ["--pin", [1], {"a": "--password"}, "c"]]'),
    ('["--password", "--token", "x", "--user", "bob", "password", "y"]',
     '["--password", "--token", "[scrubbed: token]", "--user", "bob", "password", "y"]'),
    ('{"l": "x = \\"password=\\\\\\"a b\\\\\\"\\"\\n", "u": "\\u00e9"}', None),
    ('{"body": "{\\"secret\\": \\"x y\\", \\"n\\": 1}"}',
     '{"body": "{\\"secret\\": \\"[scrubbed: secret]\\", \\"n\\": 1}"}'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), JSON)
def test_secrets_in_json(text, expected):
    """Values of secret names go, of any kind and depth; what is read back is the same but for them."""
    scrubbed = Scrubber().text(text)
    json.loads(scrubbed)
    assert "a b" not in scrubbed
    if expected is not None:
        assert scrubbed == expected


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(),
    st.sampled_from(["password=", "password='x", 'token="a', "Cookie: a=b",
                     "it's \\ here: secret=A1b2C3d4", "\\n", '"', "4111111111111111"]),
)  # fmt: skip
_KEYS = st.sampled_from(["password", "user", "credentials", "n", "message", "api_key", "cookie", "locals"])
_DOCUMENTS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a loaded machine making examples is
@given(st.dictionaries(_KEYS, _DOCUMENTS), st.booleans(), st.sampled_from([None, 2]))
def test_json_stays_json(document, ascii_only, indent):
    """Whatever a JSON text holds, it is JSON afterwards, with the same keys, and scrubbing it again changes nothing."""
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    scrubbed = Scrubber().text(text)
    assert list(json.loads(scrubbed)) == list(document)
    assert Scrubber().text(scrubbed) == scrubbed


def test_harmless_json_is_the_same_object():
    """A JSON text without secrets keeps its bytes, spaces and all."""
    text = '{"a":1.10,  "author": "bob", "tokens": 5, "token_type": "Bearer", "key": {"x": [true]}}'
    assert Scrubber().text(text) is text
