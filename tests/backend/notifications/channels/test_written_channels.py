"""Channels as they are written: what is wrong with them is named, and never shown where it is a secret."""

from __future__ import annotations

import pytest
from made_channels import channel, read

_MAIL = "smtp_server: smtp.example.com, from: a@example.com"


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ("email: {from: a@example.com}", ["monitoring.channels.email: smtp_server is missing"]),
        (
            'email: {smtp_server: "smtp://a", from: b, to: [c@d e]}',
            [
                "monitoring.channels.email.smtp_server: 'smtp://a' is no mail server",
                "monitoring.channels.email.from: 'b' is no address of mail",
                "monitoring.channels.email.to[0]: 'c@d e' is no address of mail",
            ],
        ),
        (f"email: {{{_MAIL}, username: x}}", ["monitoring.channels.email.username: password is missing"]),
        (
            f"email: {{{_MAIL}, username: x, password: hush, tls: none}}",
            ["monitoring.channels.email.tls: a password would be sent in clear"],
        ),
        (
            "slack: {}",
            ["monitoring.channels.slack: a channel of Slack has either a webhook_url or a bot_token"],
        ),
        ("slack: {bot_token: hush}", ["monitoring.channels.slack: channel is missing"]),
        ("slack: {webhook_url: hush}", ["monitoring.channels.slack.webhook_url: webhook_url is no address"]),
        (
            "hook: {type: webhook, url: 'https://u:hush@a.example', token: hush, username: x}",
            [
                "monitoring.channels.hook.url: url holds a user name",
                "monitoring.channels.hook.token: a token and a username are given",
                "monitoring.channels.hook.username: password is missing",
            ],
        ),
        (
            "hook: {type: webhook, url: 'https://a.example', headers: {Host: hush}, secret: [hush]}",
            ["monitoring.channels.hook.secret: expected a secret"],
        ),
        (
            "hook: {type: webhook, url: 'https://a.example', headers: {Host: hush}}",
            ["monitoring.channels.hook.headers: the header Host can't be set"],
        ),
        (
            "sms: {url: 'https://a.example', to: [x], fields: {to: '{to}'}, format: form}",
            ["monitoring.channels.sms.to[0]: 'x' is not possible here"],
        ),
        (
            "sms: {url: 'https://a.example', fields: {to: ['{to}']}, format: form}",
            [
                "monitoring.channels.sms.fields: no field has {text}",
                "monitoring.channels.sms.fields: a form has no values within values",
            ],
        ),
        (
            "page: {type: command, command: [echo, hi]}",
            ["monitoring.channels.page.command: 'echo' is no absolute path"],
        ),
        ("page: {type: command, command: []}", ["monitoring.channels.page.command: command is empty"]),
        (
            "x: {type: service, url: 'json://hush'}",
            ["monitoring.channels.x.url: 'json' is no service that may be used"],
        ),
        ("x: {type: service, url: hush}", ["monitoring.channels.x.url: url is no URL of a service"]),
        ("ntfy: {url: 'https://ntfy.sh/'}", ["monitoring.channels.ntfy.url: url has no topic"]),
        ("telegram: {chat: '1'}", ["monitoring.channels.telegram: bot_token is missing"]),
        ("discord: {webhook_url: hush}", ["monitoring.channels.discord.webhook_url: webhook_url is no address"]),
        ("teams: {}", ["monitoring.channels.teams: webhook_url is missing"]),
        ("pagerduty: {url: 'ftp://hush', routing_key: hush}", ["monitoring.channels.pagerduty.url: url is no address"]),
    ],
)
def test_what_is_wrong_is_named(written: str, problems: list[str]):
    """Each mistake is told at its key, all of them at once, and no secret is repeated."""
    found = read(written)[1]
    assert found == problems
    assert "hush" not in str(found)


def test_secrets_are_not_shown():
    """A channel that is logged, or whose error is, shows no secret that is written in it."""
    made = channel("hook: {type: webhook, url: 'https://a.example/hush', token: hush, headers: {X-Key: hush}}")
    assert "hush" not in repr(made)
