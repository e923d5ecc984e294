"""Integrations of receivers as channels of ours: the options that mean the same, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_SUBMISSIONS = ":465"
_SLACK_API = "/api/chat.postMessage"
_PASSED_ON: Final = frozenset({"send_resolved"})


@dataclass(slots=True)
class Integration:
    """One integration while it is taken over: ``given`` is what is written of it, ``globals_`` the defaults."""

    given: Node
    globals_: Node | None
    notes: Report
    used: set[str] = field(default_factory=set)

    def text(self, key: str, otherwise: str = "") -> str:
        """The text of a key, else that of a default."""
        self.used.add(key)
        node = self.given.named(key)
        if node is None and otherwise and self.globals_ is not None:
            node = self.globals_.named(otherwise)
        return node.text if node is not None and node.sort in {"text", "number", "bool"} else ""

    def secret(self, key: str, otherwise: str = "") -> Any:
        """A secret of a key, as it is or in a file; "" for none."""
        plain = self.text(key)
        file = self.text(f"{key}_file")
        if not plain and not file and otherwise:
            plain, file = self.text(key, otherwise), self.text(f"{key}_file", f"{otherwise}_file")
        return plain or ({"file": file} if file else "")

    def within(self, *keys: str) -> Integration:
        """What stands below some keys."""
        node: Node | None = self.given
        for key in keys:
            node = node.named(key) if node is not None else None
        self.used.add(keys[0])
        return Integration(node or _empty(self.given), None, self.notes)

    def left_out(self) -> list[str]:
        """The keys that nobody asked for."""
        return [entry.key for entry in self.given.entries if entry.key not in self.used | _PASSED_ON]


def _empty(like: Node) -> Node:
    return type(like)("mapping", like.path, like.line, like.column)


def _without_nothing(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value != "" and value is not None}


def _http(integration: Integration) -> dict[str, Any]:
    """``http_config``: login and certificates."""
    http = integration.within("http_config")
    basic, tls, authorization = http.within("basic_auth"), http.within("tls_config"), http.within("authorization")
    return {
        "username": basic.text("username"),
        "password": basic.secret("password"),
        "token": authorization.secret("credentials") or http.secret("bearer_token"),
        "ca_file": tls.text("ca_file"),
        "verify": False if tls.text("insecure_skip_verify") == "true" else None,
    }


def _webhook(integration: Integration) -> dict[str, Any]:
    return {"url": integration.secret("url"), "format": "alertmanager", **_http(integration)}


def _email(integration: Integration) -> dict[str, Any]:
    server = integration.text("smarthost", "smtp_smarthost")
    must_encrypt = integration.text("require_tls", "smtp_require_tls") != "false"
    to = [address.strip() for address in integration.text("to").split(",") if address.strip()]
    return {
        "smtp_server": server,
        "from": integration.text("from", "smtp_from"),
        "to": to or "",
        "username": integration.text("auth_username", "smtp_auth_username"),
        "password": integration.secret("auth_password", "smtp_auth_password"),
        "tls": "starttls" if must_encrypt and not server.endswith(_SUBMISSIONS) else None,
    }


def _slack(integration: Integration) -> dict[str, Any]:
    url = integration.secret("api_url", "slack_api_url")
    channel = integration.text("channel")
    token = _http(integration)["token"]
    if isinstance(url, str) and url.endswith(_SLACK_API) and token:
        return {"bot_token": token, "channel": channel}
    if channel:
        integration.notes.add(
            integration.given,
            f"the webhook writes to the conversation that it was made for, not to {channel}",
            "give a bot_token and the channel, if it is to be another one",
        )
    return {"webhook_url": url}


def _pagerduty(integration: Integration) -> dict[str, Any]:
    url = integration.text("url", "pagerduty_url")
    key = integration.secret("routing_key")
    if not key:
        integration.notes.add(
            integration.given, "a service_key is of the older API of PagerDuty", "make an integration of Events API v2"
        )
        key = integration.secret("service_key")
    return {"routing_key": key, "url": url}


def _telegram(integration: Integration) -> dict[str, Any]:
    return {"bot_token": integration.secret("bot_token", "telegram_bot_token"), "chat": integration.text("chat_id")}


def _discord(integration: Integration) -> dict[str, Any]:
    return {"webhook_url": integration.secret("webhook_url")}


def _teams(integration: Integration) -> dict[str, Any]:
    url = integration.secret("webhook_url")
    if integration.given.path.rpartition(".")[2].startswith("msteams_"):
        hint = "make a workflow in Teams, and give its address"
        integration.notes.add(integration.given, "connectors of Teams are no longer there", hint)
    return {"webhook_url": url}


def _opsgenie(integration: Integration) -> dict[str, Any]:
    return {"url": _service("opsgenie", integration, integration.secret("api_key", "opsgenie_api_key"))}


def _pushover(integration: Integration) -> dict[str, Any]:
    user, token = integration.secret("user_key"), integration.secret("token")
    whole = f"{quote(user, safe='')}@{quote(token, safe='')}" if isinstance(user, str) and token else user
    return {"url": _service("pover", integration, whole if isinstance(token, str) else token)}


def _service(scheme: str, integration: Integration, login: Any) -> str:
    """The URL of a service. A secret that stands in a file can't be part of one: the whole URL has to stand there."""
    if isinstance(login, str):
        return f"{scheme}://{login}"
    hint = f"put {scheme}://... with the keys into a file, and name that as url: {{file: PATH}}"
    integration.notes.add(integration.given, "keys in files are left out", hint)
    return f"{scheme}://key"


@dataclass(frozen=True, slots=True)
class Kind:
    """How the integrations of one kind are taken over: our type, and whether they tell of ends by default."""

    type: str
    sends_resolved: bool
    options: Callable[[Integration], dict[str, Any]]


KINDS: Final[dict[str, Kind]] = {
    "webhook_configs": Kind("webhook", True, _webhook),  # noqa: FBT003 - a table
    "email_configs": Kind("email", False, _email),  # noqa: FBT003
    "slack_configs": Kind("slack", False, _slack),  # noqa: FBT003
    "pagerduty_configs": Kind("pagerduty", True, _pagerduty),  # noqa: FBT003
    "telegram_configs": Kind("telegram", True, _telegram),  # noqa: FBT003
    "discord_configs": Kind("discord", True, _discord),  # noqa: FBT003
    "msteams_configs": Kind("teams", True, _teams),  # noqa: FBT003
    "msteamsv2_configs": Kind("teams", True, _teams),  # noqa: FBT003
    "opsgenie_configs": Kind("service", True, _opsgenie),  # noqa: FBT003
    "pushover_configs": Kind("service", True, _pushover),  # noqa: FBT003
}

#: Integrations for which there is no channel of the same kind.
OTHERS: Final = tuple(
    f"{name}_configs"
    for name in ("incidentio", "jira", "mattermost", "rocketchat", "sns", "victorops", "webex", "wechat")
)


def channel_of(kind: Kind, integration: Integration) -> dict[str, Any]:
    """The channel of an integration as it is written in the settings file; what is left out is noted."""
    sends = integration.text("send_resolved")
    resolved = kind.sends_resolved if not sends else sends == "true"
    options = _without_nothing(kind.options(integration))
    left_out = integration.left_out()
    if left_out:
        hint = "texts are templates of Jinja2 here: title, text and html of the channel" * bool(_TEXTS & {*left_out})
        integration.notes.add(integration.given, f"left out: {', '.join(left_out)}", hint)
    return {"type": kind.type, **options, **({} if resolved else {"send_resolved": False})}


_TEXTS: Final = frozenset({"title", "text", "html", "headers", "description", "message", "fallback", "fields"})
