"""Channels that are made in pages: their secrets are kept, and can't be sent to somebody else."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

from spanglass_server.egress.policy import Policy
from spanglass_server.notifications.channels.kinds import channel_kinds
from spanglass_server.notifications.channels.made_in_pages import refusals
from spanglass_server.notifications.config.book import Book
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.errors import ConfigurationError
from spanglass_server.notifications.config.secrets import KEPT
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import KeptThings
from spanglass_server.store.disk import DISK

if TYPE_CHECKING:
    from pathlib import Path

_MAIL = {"smtp_server": "smtp.example.com", "from": "a@example.com", "username": "x", "password": "hush"}


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A book of a data directory that is empty."""
    refused = refusals(Policy.of(["10.1.0.0/16"]), [("/bin/page", "--now")])
    sections = Sections([channel_section(channel_kinds(), refused)])
    return Book(sections, None, KeptThings(tmp_path, DISK, lambda: 1, sections))


@pytest.mark.parametrize(
    ("first", "changed", "path"),
    [
        (_MAIL, {"smtp_server": "evil.example"}, "smtp_server"),
        (_MAIL, {"verify": False}, "verify"),
        ({"type": "webhook", "url": "https://a.example/x", "token": "hush"}, {"url": "https://evil.example"}, "url"),
        (
            {"type": "slack", "bot_token": "hush", "channel": "#a"},
            {"api_url": "https://evil.example"},
            "api_url",
        ),
        (
            {"type": "telegram", "bot_token": "hush", "chat": "1"},
            {"type": "slack", "channel": "#a", "api_url": "https://evil.example", "chat": None},
            "type",
        ),
    ],
)
def test_kept_secrets_stay_with_their_sink(
    book: Book, tmp_path: Path, first: dict[str, Any], changed: dict[str, Any], path: str
):
    """What is shown has no secret, given back it stays the same; with another sink, secrets have to be given anew."""
    version = book.put("channels", "email", first, "", "Kim")
    shown = {key: value for key, value in book.written("channels", "email").items() if value not in (None, {})}
    assert "hush" not in str(shown)
    (file,) = (tmp_path / "channels").glob("*.yaml")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    version = book.put("channels", "email", {**shown, "send_resolved": False}, version, "Kim")
    (channel,) = book.configuration().channels.values()
    found = [getattr(channel.options, name, None) for name in ("password", "token", "bot_token")]
    assert [secret.reveal() for secret in found if secret is not None] == ["hush"]

    moved = {key: value for key, value in {**shown, **changed}.items() if value is not None}
    with pytest.raises(ConfigurationError) as caught:
        book.put("channels", "email", moved, version, "Kim")
    problems = [(problem.path, problem.message, problem.hint) for problem in caught.value.problems]
    assert problems == [(path, "what is kept would be sent to somebody else", "give the secrets again")]
    again = {key: "new" if value == KEPT and key != "url" else value for key, value in moved.items()}
    assert book.put("channels", "email", again, version, "Kim")


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"type": "email", **_MAIL, "smtp_server": "127.0.0.1:25"}, "smtp_server", "127.0.0.1 is a loopback address"),
        ({"type": "webhook", "url": "http://10.2.0.1/x"}, "url", "10.2.0.1 is a private address"),
        ({"type": "webhook", "url": "http://169.254.169.254/latest"}, "url", "169.254.169.254 is a link-local"),
        ({"type": "slack", "webhook_url": "http://localhost:1/x"}, "webhook_url", "localhost is 127.0.0.1, a loopback"),
        ({"type": "ntfy", "url": "http://[::1]/x"}, "url", "::1 is a loopback address"),
        ({"type": "command", "command": ["/bin/page"]}, "command", "this command may only be run from a channel of"),
        ({"type": "webhook", "url": {"env": "HOOK"}}, "url", "a secret from the environment or a file can only"),
        ({"type": "webhook", "url": "http://10.1.0.1/x"}, "", ""),
        ({"type": "command", "command": ["/bin/page", "--now"]}, "", ""),
    ],
)
def test_what_pages_may_not_say(book: Book, given: dict[str, Any], path: str, reason: str):
    """An address inside, a command and a place of secrets are refused when a channel is saved, at the key."""
    if not path:
        assert book.put("channels", "one", given, "", "Kim")
        return
    with pytest.raises(ConfigurationError) as caught:
        book.put("channels", "one", given, "", "Kim")
    (problem,) = caught.value.problems
    assert (problem.path, problem.message.startswith(reason)) == (path, True)
