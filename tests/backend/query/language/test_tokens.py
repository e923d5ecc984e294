"""Pieces of a filter for colouring, and what completion may offer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.query.language import completion_context, fixed_values, intrinsic_keys, tokens
from spanglass_server.signals import Signal


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("service:checkout", [("service", "key"), (":", "operator"), ("checkout", "string")]),
        ("duration > 5ms", [("duration", "key"), (">", "operator"), ("5ms", "number")]),
        ('-"a b" or c', [("-", "operator"), ('"a b"', "string"), ("or", "operator"), ("c", "word")]),
        ("k not exists", [("k", "key"), ("not exists", "operator")]),
        (
            "k in (1)",
            [("k", "key"), ("in", "operator"), ("(", "operator"), ("1", "number"), (")", "operator")],
        ),
        ('"k k" = "v"', [('"k k"', "key"), ("=", "operator"), ('"v"', "string")]),
        ('name = "ab', [("name", "key"), ("=", "operator"), ('"ab', "bad")]),
        ("a ) b", [("a", "word"), (")", "bad"), ("b", "word")]),
        ("status:", [("status", "key"), (":", "operator")]),
    ],
)
def test_pieces_and_their_kinds(text, kinds):
    """Every piece has its kind, also in text that does not parse, where the piece that is wrong is bad."""
    assert [(text[start:end], kind) for start, end, kind in tokens(text)] == kinds


@settings(deadline=None)
@given(st.text(st.sampled_from("ab =<>!~:()\",'-* \\5"), max_size=20))
def test_pieces_cover_the_text(text):
    """The pieces of any text stand in order, do not overlap, and leave out only spaces."""
    last = 0
    for start, end, _ in tokens(text):
        assert start < end
        assert text[last:start].strip() == ""
        last = end
    assert text[last:].strip() == ""


@pytest.mark.parametrize(
    ("text", "expects", "key", "prefix", "replaced"),
    [
        ("|", "key", None, "", ""),
        ("ser|", "key", None, "ser", "ser"),
        ("ser|vice:web", "key", None, "ser", "service"),
        ("a and |", "key", None, "", ""),
        ("-k|", "key", None, "k", "k"),
        ("(|", "key", None, "", ""),
        ("service |", "operator", "service", "", ""),
        ("service !|", "key", None, "", ""),
        ("service !=|", "value", "service", "", ""),
        ("service:|", "value", "service", "", ""),
        ("service = |", "value", "service", "", ""),
        ("service:che| and x", "value", "service", "che", "che"),
        ("service:ch|eck and x", "value", "service", "ch", "check"),
        ('name = "GET /|', "value", "name", "GET /", '"GET /'),
        ('name = "GET |/" x', "value", "name", "GET ", '"GET /"'),
        ("k in (|", "value", "k", "", ""),
        ("k in (a, b|)", "value", "k", "b", "b"),
        ("k in (a |", "key", None, "", ""),
        ("k in (a) |", "key", None, "", ""),
        ("service:web |", "key", None, "", ""),
        ("service:web kin|", "key", None, "kin", "kin"),
        ('"free te|', "key", None, "free te", '"free te'),
        ('span."my k"|', "key", None, 'span."my k"', 'span."my k"'),
    ],
)
def test_completion(text, expects, key, prefix, replaced):
    """At the cursor (the bar) it is known what may follow, of which key, what is typed of it, and what to replace."""
    cursor = text.index("|")
    text = text.replace("|", "")

    context = completion_context(text, cursor)

    assert (context.expects, context.key, context.prefix, text[context.start : context.end]) == (
        expects,
        key,
        prefix,
        replaced,
    )


@settings(deadline=None)
@given(st.text(st.sampled_from("ab =<>!~:()\",'-* \\5."), max_size=20), st.integers(-2, 25))
def test_completion_takes_any_text(text, cursor):
    """Any text and cursor have a context whose range lies in the text, around the cursor."""
    context = completion_context(text, cursor)

    assert 0 <= context.start <= max(0, min(cursor, len(text))) <= context.end <= len(text)


def test_keys_and_values_to_offer():
    """Intrinsic fields are offered once, under their shortest name, with their values if these are a list."""
    keys = intrinsic_keys(Signal.SPANS)

    assert {"name", "duration", "kind", "status", "service", "trace", "root"} <= set(keys)
    assert "duration_ns" not in keys
    assert list(keys) == sorted(set(keys))
    assert fixed_values("status", Signal.SPANS) == ("unset", "ok", "error")
    assert fixed_values("severity", Signal.LOGS) == ("trace", "debug", "info", "warn", "error", "fatal", "unset")
    assert fixed_values("root", Signal.SPANS) == ("true", "false")
    assert fixed_values("http.route", Signal.SPANS) == ()
