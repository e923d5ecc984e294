"""Scrubbing attributes."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from spanglass.scrubbing.scrubber import MAX_DEPTH, Scrubber, ScrubMatch


def test_attributes_without_secrets_are_the_same_object():
    """Nothing is copied when nothing is scrubbed."""
    attributes = MappingProxyType(
        {
            "http.request.method": "GET",
            "url.full": "https://a.b/c?page=2",
            "db.query.text": "select a from t where b = %s",
            "http.response.status_code": 200,
            "author": "bob",
            "session.id": "5f2a",
            "tokens": (1, 2),
            "empty": None,
            "bytes": b"abc",
            "nested": {"a": [1, {"b": "c"}]},
        }
    )
    assert Scrubber().attributes(attributes) is attributes


def test_attributes_with_secrets():
    """Every kind of attribute is scrubbed in its own way, the others stay, and the list says which were."""
    before = {
        "user.name": "bob",
        "password": 1234,
        "http.request.header.cookie": ("a=b", "c=d"),
        "url.full": "https://a.b/?token=1",
        "http.target": "/x?api_key=2",
        "url.query": "sig=abc",
        "db.query.text": "select 1 from t",
        "db.query.parameter.0": "bob",
        "db.query.parameter.name": "bob",
        "exception.stacktrace": "ValueError: password='x'",
        "process.command_args": ("run", "--password", "x", "--token=Abc123def"),
        "request": {"user": {"secret": "s", "name": "n"}, "list": [{"otp": 5}]},
        "raw": b"password=x",
    }
    copy = dict(before)
    after = Scrubber().attributes(before)
    assert before == copy
    assert after == {
        "user.name": "bob",
        "password": "[scrubbed: password]",
        "http.request.header.cookie": ("[scrubbed: cookie]",),
        "url.full": "https://a.b/?token=REDACTED",
        "http.target": "/x?api_key=REDACTED",
        "url.query": "sig=REDACTED",
        "db.query.text": "select ? from t",
        "db.query.parameter.0": "[scrubbed: query parameter]",
        "db.query.parameter.name": "bob",
        "exception.stacktrace": "ValueError: password='[scrubbed: password]'",
        "process.command_args": ("run", "--password", "[scrubbed: password]", "--token=[scrubbed: token]"),
        "request": {
            "user": {"secret": "[scrubbed: secret]", "name": "n"},
            "list": ({"otp": "[scrubbed: one-time code]"},),
        },
        "raw": b"password=[scrubbed: password]",
        "spanglass.scrubbed": (
            "password", "http.request.header.cookie", "url.full", "http.target", "url.query", "db.query.text",
            "db.query.parameter.0", "exception.stacktrace", "process.command_args", "request", "raw",
        ),
    }  # fmt: skip
    assert Scrubber().attributes(after) is after


@pytest.mark.parametrize("value", [None, True, False, "", (), [], {}, 0.5, 7])
def test_what_can_hold_no_secret_stays(value):
    """A flag, a count or nothing at all under a secret's name is left: it tells more than a mark."""
    assert Scrubber().value("token", value) is value


def test_numbers_are_secrets_where_digits_are():
    """A PIN is a number, a token is none."""
    scrubber = Scrubber()
    assert [scrubber.value(key, 1234) for key in ("password", "card_number", "cookies", "api_key")] == [
        "[scrubbed: password]", "[scrubbed: card number]", 1234, 1234,
    ]  # fmt: skip


def test_ids_in_digits_are_no_card_numbers():
    """A number that passes as a card's is an id where its key says so."""
    assert Scrubber().value("order.id", "4111111111111111") == "4111111111111111"
    assert Scrubber().value("order", "4111111111111111") == "[scrubbed: card number]"


def test_more_keys_and_safe_keys():
    """The user's words make a key secret, at any depth; safe keys are not looked into."""
    scrubber = Scrubber(["customer_name"], ["token", "debug.*", "request.password"])
    attributes = {
        "customerName": "bob",
        "token": "password=x",
        "debug.password": "x",
        "request": {"password": "x", "customer_name": "bob"},
        "text": "customer_name=bob token=Abcdef123",
    }
    assert scrubber.attributes(attributes) == {
        "customerName": "[scrubbed: customer_name]",
        "token": "password=x",
        "debug.password": "x",
        "request": {"password": "x", "customer_name": "[scrubbed: customer_name]"},
        "text": "customer_name=[scrubbed: customer_name] token=Abcdef123",
        "spanglass.scrubbed": ("customerName", "request", "text"),
    }


def test_a_callback_decides():
    """It sees each match with the key's whole path, and gives the value to use; None takes the usual mark."""
    seen = []

    def decide(match: ScrubMatch) -> object:
        seen.append(match)
        return {"password": "***", "token": match.value}.get(match.reason)

    scrubber = Scrubber(callback=decide)
    attributes = {"a": {"password": "x"}, "text": "token=Abc123def secret=Abc123def", "url.full": "/?password=y"}
    assert scrubber.attributes(attributes) == {
        "a": {"password": "***"},
        "text": "token=Abc123def secret=[scrubbed: secret]",
        "url.full": "/?password=%2A%2A%2A",
        "spanglass.scrubbed": ("a", "text", "url.full"),
    }
    assert seen == [
        ScrubMatch("a.password", "x", "password"),
        ScrubMatch("text", "Abc123def", "token"),
        ScrubMatch("text", "Abc123def", "secret"),
        ScrubMatch("url.full", "y", "password"),
    ]


def test_a_callback_that_keeps_everything_leaves_the_object():
    """Nothing counts as scrubbed when nothing was changed."""
    attributes = {"password": "x"}
    assert Scrubber(callback=lambda match: match.value).attributes(attributes) is attributes


def test_nesting_is_read_to_a_bound():
    """What is nested deeper than anyone would read is not sent."""
    value: object = "x"
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    scrubbed = Scrubber().value("a", value)
    for _ in range(MAX_DEPTH):
        (scrubbed,) = scrubbed
    assert scrubbed == "[scrubbed: nested too deep to read]"


def test_keys_are_remembered_up_to_a_bound():
    """A process that makes up keys for ever does not fill the memory."""
    scrubber = Scrubber()
    for number in range(10_000):
        scrubber.attributes({f"key{number}": "value"})
    assert len(scrubber._plans) <= 4096
