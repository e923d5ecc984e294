"""Secrets in running text."""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass.scrubbing import hints as scrub_hints
from spanglass.scrubbing import json_text as scrub_json
from spanglass.scrubbing import pairs as scrub_pairs
from spanglass.scrubbing import shapes as scrub_shapes
from spanglass.scrubbing import sql as scrub_sql
from spanglass.scrubbing import url as scrub_url
from spanglass.scrubbing.scrubber import MAX_TEXT, Scrubber

# put together here, so that no scanner of this repository takes them for keys
GITHUB = "ghp_" + "aB3" * 12
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abc-_123"
CARD = "4111 1111 1111 1111"

SCRUBBED = [
    ("password=hunter2 user=bob", "password=[scrubbed: password] user=bob"),
    ("Password: hunter2", "Password: [scrubbed: password]"),
    ("db_password => 'a b' x", "db_password => '[scrubbed: password]' x"),
    ("{'password': 'hunter2', 'n': 1}", "{'password': '[scrubbed: password]', 'n': 1}"),
    ("{'pin': 1234, 'pi': 3}", "{'pin': '[scrubbed: pin]', 'pi': 3}"),
    ("{'credentials': {'a': ')'}, 'b': 2}", "{'credentials': '[scrubbed: credential]', 'b': 2}"),
    ("User(token='abc', id=3)", "User(token='[scrubbed: token]', id=3)"),
    ("User(password=SecretStr('hunter2'))", "User(password=SecretStr('[scrubbed: password]'))"),
    ('password="it\'s" b', 'password="[scrubbed: password]" b'),
    (r"{\"password\": \"a b\", \"c\": 1}", r"{\"password\": \"[scrubbed: password]\", \"c\": 1}"),
    ("password='cut off", "password='[scrubbed: password]"),
    ("Authorization: Bearer abcdef next", "Authorization: Bearer [scrubbed: authorization] next"),
    ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic [scrubbed: authorization]"),
    ("got Bearer abcdef1234567890abcdef", "got Bearer [scrubbed: authorization]"),
    ("Cookie: a=b; sessionid=abc; theme=dark", "Cookie: [scrubbed: cookie]"),
    ("[(b'cookie', b'x=y'), (b'host', b'a')]", "[(b'cookie', b'[scrubbed: cookie]'), (b'host', b'a')]"),
    ('secret = "hunter2"', 'secret = "[scrubbed: secret]"'),
    ("    secret : 'a b'  # no", "    secret : '[scrubbed: secret]'  # no"),
    (
        "secret: str = 'x'; token: str | None = 'y'",
        "secret: str = '[scrubbed: secret]'; token: str | None = '[scrubbed: token]'",
    ),
    ('password: Annotated[str, Field] = "x"', 'password: Annotated[str, Field] = "[scrubbed: password]"'),
    ("secret : abc123", "secret : [scrubbed: secret]"),
    ("secret = abc123def", "secret = [scrubbed: secret]"),
    ("api secret = 'x'; private key : 'y'", "api secret = '[scrubbed: secret]'; private key : '[scrubbed: key]'"),
    (
        "Command '['mysql', '--password', 'x y', '-h', 'db']' returned non-zero exit status 1.",
        "Command '['mysql', '--password', '[scrubbed: password]', '-h', 'db']' returned non-zero exit status 1.",
    ),
    (
        "Command 'deploy --token abc' timed out after 3 seconds",
        "Command 'deploy --token [scrubbed: token]' timed out after 3 seconds",
    ),
    ("deploy --token abc --now", "deploy --token [scrubbed: token] --now"),
    ("run(('curl', b'--api-key', b'x'))", "run(('curl', b'--api-key', b'[scrubbed: api key]'))"),
    ('cmd = ["curl", "-token", "abc"]', 'cmd = ["curl", "-token", "[scrubbed: token]"]'),
    (r"[\"a\", \"--password\", \"x\"]", r"[\"a\", \"--password\", \"[scrubbed: password]\"]"),
    ("get(url, auth=('bob', 'hunter2'))", 'get(url, auth="[scrubbed: authorization]")'),
    (
        "SplitResult(scheme='redis', netloc='bob:hunter2@db', query='token=abc123')",
        "SplitResult(scheme='redis', netloc='REDACTED:REDACTED@db', query='token=[scrubbed: token]')",
    ),
    ("ParseResultBytes(netloc=b'bob:hunter2@db')", "ParseResultBytes(netloc=b'REDACTED:REDACTED@db')"),
    ("{'netloc': 'tok@db', 'path': '/'}", "{'netloc': 'REDACTED@db', 'path': '/'}"),
    (
        "config['password'] = 'x'; os.environ[\"API_KEY\"]=\"a b\"",
        "config['password'] = '[scrubbed: password]'; os.environ[\"API_KEY\"]=\"[scrubbed: api key]\"",
    ),
    ("[('user', 'bob'), ('password', 'hunter2')]", "[('user', 'bob'), ('password', '[scrubbed: password]')]"),
    ('setdefault("SECRET_KEY", "a b")', 'setdefault("SECRET_KEY", "[scrubbed: key]")'),
    ("run --password hunter2 --verbose", "run --password [scrubbed: password] --verbose"),
    ("api key: abcdef123456", "api key: [scrubbed: api key]"),
    ("Server=x;Password=a!c;Uid=z", "Server=x;Password=[scrubbed: password];Uid=z"),
    ("a?token=abc123def&b=1", "a?token=[scrubbed: token]&b=1"),
    ("postgresql://shop:s3cret@db/x", "postgresql://REDACTED:REDACTED@db/x"),
    ("postgresql://shop:p@ss@db/x", "postgresql://REDACTED:REDACTED@db/x"),
    ("https://tok@github.com/a", "https://REDACTED@github.com/a"),
    (f"use {GITHUB}.", "use [scrubbed: github token]."),
    (f"({AWS})", "([scrubbed: aws key])"),
    (STRIPE, "[scrubbed: stripe key]"),
    (f"\\n{AWS}\\npassword=abc\\n", "\\n[scrubbed: aws key]\\npassword=[scrubbed: password]\\n"),
    (JWT, "[scrubbed: jwt]"),
    ("hooks.slack.com/services/T000/B000/XXXXXXXX", "[scrubbed: slack webhook]"),
    (f"card {CARD}, thanks", "card [scrubbed: card number], thanks"),
    ("pay 4111111111111111", "pay [scrubbed: card number]"),
    ("378282246310005", "[scrubbed: card number]"),
    (
        "a -----BEGIN RSA PRIVATE KEY-----\nMIIabc/+=\nabc\n-----END RSA PRIVATE KEY----- b",
        "a [scrubbed: private key] b",
    ),
    ("-----BEGIN PRIVATE KEY-----\\nMII\\nab", "[scrubbed: private key]"),
]
UNTOUCHED = [
    "the author: bob, session_count=5, token_count: 7, tokens=9",
    "unexpected token: foo",
    "SyntaxError: unexpected token: '}'",
    "invalid password for user: bob",
    "Password: must not be empty",
    "bearer authentication failed for basic reasons",
    "password=None, token=null, secret=''",
    "password=%s token={token} secret=$1 api_key=${KEY}",
    "password=[scrubbed: password] password=***** token=[Filtered] secret=<redacted>",
    '  File "x.py", line 3, in f\n    login(user, password=password, token=self.token, key=get_password())',
    "def login(user: str, password: str, token: bytes | None = None) -> None:",
    "db_password=DB_PASSWORD",
    "SELECT * FROM orders WHERE author = 'bob'",
    "order 4111111111111112 and 1700000000000000 and 1234567890123456",
    "id 94111111111111111 and 4111111111111111.5 and 0x4111111111111111",
    "git@github.com:a/b.git and redis://user@host and me@example.org",
    "trace 0af7651916cd43dd8448eb211c80319c at 2026-10-01T10:00:00.123456Z",
    "de305d54-75b4-431b-adb2-eb6b9e546014",
    "usage: deploy [--token TOKEN] [--secret FILE], pass --token to log in, or --secret and a file",
    "options ['--password', '--token'] and fields ['password', 'email'] are missing, secret word",
    "get(url, auth=(user, password), tokens=[a, b], secret = load(path), secret : str, access = full",
    "SplitResult(scheme='https', netloc='shop.example:443', path='/a@b', query='page=2', fragment='')",
    "open secret = settings.SECRET, the secret : none, private = true, bank : closed",
    "parser.add_argument('--password', '-p', help='the password'); option('--api-token', 'api_token', prompt=True)",
    "arguments = [program, '--password', password]; password: str = Field(min_length=8)",
    "token: str = field(default=''), secret: str | None = None",
    "config['password'] = ask(user), request['token'] == token, fields = ('password', 'email'), names[\"secret\"]",
    "missing ('username', 'password'), ('pin', 'expires_at', 'Scope1') and ('password', 'new_password')",
    "compass: north, passenger=5, secretary: ann",
    "asia, numbers, shipping, keys, passed",
    "Proxy-Authorization required",
    "eyJ is how a JWT begins",
]


@pytest.mark.parametrize(("text", "expected"), SCRUBBED)
def test_secrets_are_replaced(text, expected):
    """The secret goes, the rest stays byte for byte, and doing it twice changes nothing more."""
    scrubber = Scrubber()
    assert scrubber.text(text) == expected
    assert scrubber.text(expected) is expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_harmless_texts_are_the_same_object(text):
    """A text without a secret is given back itself, also the second time, when it is remembered."""
    scrubber = Scrubber()
    assert scrubber.text(text) is text
    assert scrubber.text(text) is text


@pytest.mark.parametrize(("text", "_expected"), SCRUBBED)
def test_the_hint_is_found_wherever_something_is_scrubbed(text, _expected):
    """The quick look never misses what the search proper would find, in any case of the letters."""
    scrubber = Scrubber()
    for variant in (text, text.upper(), text.title(), text.lower()):
        if scrubber._plain_text(variant, "") != variant:
            assert scrubber._text_hint.search(variant.lower()), variant


_WORDS = ["password", "api", "key", "token", "Bearer ", "=", ": ", "'", '"', "\\", "abc123XYZ", " ", "\n", "eyJ", ".",
          "://", "@", "{", "}", "[", "]", ",", "4111111111111111", "cookie", "--", "n", ";",
          "-----BEGIN PRIVATE KEY-----", "secret", "_"]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=30).map("".join))
def test_the_hint_is_found_in_anything_made_of_secrets_parts(text):
    """The same for texts that are put together of what secrets and their surroundings are made of."""
    scrubber = Scrubber()
    if scrubber._plain_text(text, "") != text:
        assert scrubber._text_hint.search(text.lower())


@given(st.text())
def test_any_text_is_taken(text):
    """No text makes it fail, and what comes out holds nothing more to scrub."""
    once = Scrubber().text(text)
    assert Scrubber().text(once) == once


def test_prose_is_untouched():
    """A page of licence text holds no secret."""
    text = (
        'Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except: see NOTICE. '
    )
    assert Scrubber().text(text * 50) == text * 50


def test_all_but_the_read_part_of_a_huge_text_is_cut():
    """What nobody looked at is not sent."""
    assert Scrubber().text("a" * MAX_TEXT + "password=hunter2") == (
        "a" * MAX_TEXT + "[scrubbed: not read, 16 more characters]"
    )


def test_texts_are_remembered_up_to_a_bound():
    """Neither many texts nor long ones fill the memory."""
    scrubber = Scrubber()
    for number in range(10_000):
        scrubber.text(f"order number {number}")
    scrubber.text("order " * 100)
    known = scrubber._clean[3]
    assert len(known) <= 4096
    assert max(map(len, known)) <= 256


def _unbounded(parsed):
    """Every repetition without an upper bound that is not possessive."""
    for operation, argument in parsed:
        if operation in {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}:
            _, high, body = argument
            if high is _constants.MAXREPEAT and operation is not _constants.POSSESSIVE_REPEAT:
                yield argument
            yield from _unbounded(body)
        elif operation is _constants.SUBPATTERN:
            yield from _unbounded(argument[-1])
        elif operation is _constants.BRANCH:
            for branch in argument[1]:
                yield from _unbounded(branch)
        elif operation in {_constants.ASSERT, _constants.ASSERT_NOT}:
            yield from _unbounded(argument[1])


def _patterns():
    scrubber = Scrubber()
    yield from ((f"hint {name}", search.__self__) for name, search in
                (("text", scrubber._text_hint.search), ("url", scrubber._url_hint.search)))  # fmt: skip
    for module in (scrub_hints, scrub_json, scrub_pairs, scrub_shapes, scrub_sql, scrub_url):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value


@pytest.mark.parametrize(("name", "pattern"), list(_patterns()), ids=lambda each: each if isinstance(each, str) else "")
def test_no_pattern_goes_back_without_bound(name, pattern):  # noqa: ARG001 - the name is the test's id
    """No repetition without bound gives anything back, so no text makes a search take more than its length."""
    assert list(_unbounded(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))) == []


_HOSTILE = ["--token a", "netloc=", "auth=('", "secret ", "['--token', ",
            "eyJ-", "password='", '"auth":{', '"auth":[\\"', "\\", "://a@", "-----BEGIN PRIVATE KEY-----$",
            "-----BEGIN PRIVATE KEY-----A-----END PRIVATE KEY-----", "4111 ", "sk-", "SG.", "api ", "--token ",
            "cookie=a;", '{"a":', "db___", "token:\\", "$a$", "''", "/*", "code=state=", "%61=", "e'\\"]  # fmt: skip


@pytest.mark.parametrize("piece", _HOSTILE)
def test_hostile_texts_are_read_to_their_end(piece):
    """What opens and never closes, again and again, hides no secret behind it; read twice per byte it would hang."""
    text = piece * (200_000 // len(piece)) + " \n password=hunter2"
    assert "hunter2" not in Scrubber().text(text)
