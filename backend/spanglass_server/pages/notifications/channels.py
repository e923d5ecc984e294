"""``/channels``: all channels with how they do; ``/channels/{name}``: one, to test, and a message as it would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from spanglass_server.access.browsers import HEADERS
from spanglass_server.pages.alerts import reading as alert_reading
from spanglass_server.pages.notifications import reading
from spanglass_server.pages.notifications.usage import uses_of
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

RECENT = 10
NOT_FOUND = 404
NO_DELIVERIES: dict[str, Any] = {"deliveries": []}
NO_ALERTS: dict[str, Any] = {"alerts": []}
NO_MESSAGE: dict[str, Any] = {"title": "", "text": "", "html": ""}
#: A mail has styles of its own and no script; it may not reach anything, nor be taken for a page of ours.
MAIL = {**HEADERS, "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"}


async def read(visit: Visit) -> tuple[Sequence[reading.Row], Sequence[str]]:
    """Return all channels, configured or only known to the log of deliveries, and what is wrong with the settings."""
    standing, things = await visit.together(visit.api("notifications"), reading.things(visit, "channels"))
    kept = {one["name"]: one for one in things}
    stands = {one["name"]: one for one in standing["channels"]}
    rows = [reading.channel(name, stands.get(name), kept.get(name)) for name in {**kept, **stands}]
    return sorted(rows, key=lambda row: (not row["error"], row["name"].lower())), standing["problems"]


async def show(visit: Visit) -> Response:
    """Render the list, those that fail first."""
    (rows, problems), schemas = await visit.together(read(visit), kinds(visit))
    text = visit.param("q").lower()
    found = [row for row in rows if all(word in f"{row['name']} {row['kind_word']}".lower() for word in text.split())]
    return visit.page(
        "notifications/channels.html", ranged=False, rows=found, total=len(rows), problems=problems,
        kinds=[(name, schema["title"]) for name, schema in schemas.items()],
    )  # fmt: skip


async def kinds(visit: Visit) -> dict[str, Mapping[str, Any]]:
    """Return the JSON schema of each kind of channels, by its name."""
    schema = (await visit.api("notifications", "settings-schema"))["channels"]
    return {one["properties"]["type"]["const"]: one for one in schema.get("anyOf", ())}


async def show_one(visit: Visit) -> Response:
    """Render a channel: how it does, what was sent over it last, and a message as it would be written."""
    name, alert = visit.request.path_params["channel"], visit.param("alert")
    (rows, _), recent, alerts, message, used_by = await visit.together(
        read(visit),
        visit.attempt(visit.api("deliveries", channel=name, limit=RECENT), NO_DELIVERIES),
        visit.attempt(alert_reading.ask(visit, "alerts", status="open", limit=RECENT), NO_ALERTS),
        visit.attempt(_message(visit, name, alert), NO_MESSAGE),
        uses_of(visit, name),
    )
    row = next((one for one in rows if one["name"] == name), None)
    if row is None:
        raise ApiError(NOT_FOUND, {"code": "not_found", "message": f"there is no channel {name!r}"})
    return visit.page(
        "notifications/channel.html", ranged=False, row=row, used_by=used_by, options=_options(row["value"]),
        recent=[reading.delivery(one, visit) for one in recent["deliveries"]], message=message, alert=alert,
        alerts=[reading.brief(one, visit) for one in alerts["alerts"]],
    )  # fmt: skip


async def _message(visit: Visit, name: str, alert: str) -> dict[str, Any]:
    body = {"channel": name, **({"alert": alert} if alert else {})}
    return await reading.post(visit, "notifications", "preview", body=body)


async def show_mail(visit: Visit) -> Response:
    """Return the HTML form of the message that a channel would send, by itself."""
    message = await _message(visit, visit.request.path_params["channel"], visit.param("alert"))
    return HTMLResponse(message["html"], headers=MAIL)


def _options(channel: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is written of a channel, a line each."""
    return [(name, _plain(value)) for name, value in channel.items() if value not in (None, "", [], {}, "0s", "off")]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        if value.get("kept") is True:
            return "••••••"
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
