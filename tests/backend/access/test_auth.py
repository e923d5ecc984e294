"""Tokens and the rule for listening beyond loopback."""

from __future__ import annotations

import base64

import pytest

from spanglass_server.access.auth import TokenCheck, Tokens, is_loopback
from spanglass_server.settings.settings import Secret, SettingsError, load


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "header", "allowed"),
    [
        ("Bearer tok-en", None, True),
        ("bearer  tok-en", None, True),
        (basic("anyone:tok-en"), None, True),
        (None, "tok-en", True),
        ("Bearer wrong", "tok-en", True),
        (None, None, False),
        ("Bearer", None, False),
        ("Bearer tok-en2", None, False),
        ("tok-en", None, False),
        (basic("tok-en:"), None, False),
        ("Basic tok-en", None, False),
        ("Basic \xff", None, False),
        (None, "", False),
        (None, "t\udcffk", False),
    ],
)
def test_what_a_client_may_present(authorization, header, allowed):
    """A token is taken as Bearer, as a Basic password, or from its own header; all else is refused."""
    assert TokenCheck(Secret("tok-en")).allows(authorization, header) is allowed


def test_no_token_allows_everyone():
    """Without a token nothing is asked."""
    check = TokenCheck(Secret(""))

    assert (check.required, check.allows(None)) == (False, True)


def test_check_holds_no_token():
    """Only a digest is kept, so no dump of the object shows the token."""
    check = TokenCheck(Secret("hunter2"))

    assert b"hunter2" not in repr([getattr(check, name) for name in check.__slots__]).encode()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_loopback(host, loopback):
    """Only addresses that no other machine can reach are loopback."""
    assert is_loopback(host) is loopback


def test_beyond_loopback_both_tokens_are_needed():
    """The error names the tokens that are missing and all three ways out."""
    with pytest.raises(SettingsError) as caught:
        Tokens.from_settings(load(overrides={"server.host": "192.0.2.1", "auth.read_token": "r"}))

    assert str(caught.value) == (
        "server.host '192.0.2.1' can be reached from other machines, and there is no ingest token: "
        "set SPANGLASS_INGEST_TOKEN, or listen on 127.0.0.1, or give --insecure if the network itself keeps "
        "strangers out"
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {"server.host": "127.0.0.1"},
        {"server.host": "192.0.2.1", "server.insecure": "true"},
        {"server.host": "192.0.2.1", "auth.read_token": "r", "auth.ingest_token": "i"},
    ],
)
def test_allowed_ways_to_listen(overrides):
    """Loopback, both tokens, or the explicit word are each enough."""
    tokens = Tokens.from_settings(load(overrides=overrides))

    assert tokens.read.required is ("auth.read_token" in overrides)


def test_token_files(tmp_path):
    """A token may come from a file, with or without a line break at its end; each token opens its own door only."""
    for name in ("ingest", "read"):
        (tmp_path / name).write_text(f"{name}-token\n")
    overrides = {f"auth.{name}_token_file": str(tmp_path / name) for name in ("ingest", "read")}

    tokens = Tokens.from_settings(load(overrides={"server.host": "192.0.2.1", **overrides}))

    presented = ("Bearer ingest-token", "Bearer read-token")
    assert [tokens.ingest.allows(header) for header in presented] == [True, False]
    assert [tokens.read.allows(header) for header in presented] == [False, True]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "auth.read_token_file: FILE can't be read: No such file or directory"),
        (b"\n", "auth.read_token_file: FILE is empty: write the token into it"),
        (b"\xff", "auth.read_token_file: FILE can't be read: it is not text"),
        (
            b"two words",
            "auth.read_token_file: FILE: expected printable ASCII characters without spaces, as HTTP headers can carry",
        ),
    ],
)
def test_bad_token_files(tmp_path, content, message):
    """A token file that can't serve is refused at start, without its content."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        Tokens.from_settings(load(overrides={"auth.read_token_file": str(file)}))

    assert str(caught.value).replace(str(file), "FILE") == message
