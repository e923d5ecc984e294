"""``/channels/new`` and ``/channels/{name}/edit``: the form of a channel, by the schema of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.notifications import reading
from spanglass_server.pages.notifications.channels import kinds
from spanglass_server.pages.notifications.fields import COMMON, fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show_new(visit: Visit) -> Response:
    """Render the form for a new channel of ``?kind=``; without one, the kinds to choose from."""
    schemas, others = await visit.together(kinds(visit), reading.things(visit, "channels"))
    kind = visit.param("kind")
    if kind not in schemas:
        rows = [(name, schema["title"], schema["description"]) for name, schema in schemas.items()]
        return visit.page("notifications/kinds.html", ranged=False, kinds=rows)
    return _page(visit, kind, schemas[kind], _names(others), name=visit.param("name"))


async def show_edit(visit: Visit) -> Response:
    """Render the form for a channel that was made here; one of the settings file is changed there."""
    name = visit.request.path_params["channel"]
    schemas, others, found = await visit.together(
        kinds(visit), reading.things(visit, "channels"), visit.api(*reading.SETTINGS, "channels", name)
    )
    one = reading.thing(found)
    if not one["editable"]:
        return visit.page("notifications/elsewhere.html", ranged=False, status=409, noun="channel", name=name,
                          back=reading.to_channel(name), place=one["place"])  # fmt: skip
    kind = one["value"].get("type", name)
    return _page(visit, kind, schemas[kind], _names(others), name=name, values=one["value"], version=one["version"])


def _names(things: Sequence[Mapping[str, Any]]) -> list[str]:
    return [one["name"] for one in things]


def _page(visit: Visit, kind: str, schema: Mapping[str, Any], others: Sequence[str], **given: Any) -> Response:
    """``given`` are name, values and version of the channel that is changed."""
    more: dict[str, Any] = {"name": "", "values": {}, "version": "", **given}
    properties = schema["properties"]
    common = {"properties": {key: properties[key] for key in COMMON if key in properties}}
    return visit.page(
        "notifications/channel_form.html", ranged=False, kind=kind, kind_word=schema["title"], others=others,
        fields=fields_of(schema, more["values"], (*COMMON, "type")), common=fields_of(common, more["values"]),
        says=schema["description"], **more,
    )  # fmt: skip
