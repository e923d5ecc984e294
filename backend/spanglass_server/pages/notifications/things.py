"""The form that writes a route, a rota, a person and whatever else of notifications has a name: as YAML, with help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse

from spanglass_server.access.browsers import HEADERS
from spanglass_server.forms.dumping import dump
from spanglass_server.pages.alerts.reading import place
from spanglass_server.pages.notifications.reading import SETTINGS
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

NOT_FOUND = 404
#: Values that say the same as leaving them out.
NOTHING: tuple[Any, ...] = (None, "", [], {}, "0s", "off", False)


@dataclass(frozen=True, slots=True)
class Section:
    """A sort of things: what one is called, the page that shows it, what a new one begins with, what helps."""

    name: str
    noun: str
    page: str
    example: str
    says: str
    single: str = ""  # the name, where there is only one


SECTIONS = (
    Section(
        "routes", "routes", "/routes",
        "group_by: [alertname]\nroutes:\n  - match: ['severity=\"critical\"']\n    channels: []\n    continue: true\n",
        "The tree from its root. A route without channels leaves the choice to the alert. The first that matches takes "
        "it, unless it has continue: true.",
        single="root",
    ),
    Section(
        "inhibitions", "inhibition", "/routes",
        "source: ['severity=\"critical\"']\ntarget: ['severity=\"warning\"']\nequal: [service]\n",
        "While an alert fires that source matches, nobody is told of those that target matches, where the labels of "
        "equal are the same.",
    ),
    Section(
        "intervals", "interval", "/routes",
        "- times:\n    - {start_time: '22:00', end_time: '24:00'}\n  weekdays: ['monday:friday']\n"
        "  location: Europe/Berlin\n",
        "A time of the week, month or year, for mute_during and active_during of routes.",
    ),
    Section(
        "people", "person", "/on-call",
        "full_name: Ann Smith\nemail: ann@example.com\ntime_zone: Europe/Berlin\n"
        "quiet_hours: {from: '22:00', to: '07:00'}\n",
        "The keys are names of channels, each with the address there. In quiet hours only critical alerts are told, "
        "the others at their end.",
    ),
    Section(
        "rotas", "rota", "/on-call",
        "people: [ann, bob]\ntime_zone: Europe/Berlin\nhandover: monday 09:00\nweeks: 1\n",
        "People take turns. weekly holds shifts that are not taken in turns, overrides somebody else for a time.",
    ),
    Section(
        "escalations", "escalation", "/on-call",
        "- after: 0s\n  tell: []\n- after: 15m\n  tell: []\n",
        "Steps that go on until somebody acknowledges. tell names channels, people and rotas.",
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Section] = {section.name: section for section in SECTIONS}


async def show_routes(visit: Visit) -> Response:
    """Render the form for the tree of routes."""
    return await _show(visit, BY_NAME["routes"], "root")


async def show_new(visit: Visit) -> Response:
    """Render the form for a new thing of a section."""
    section = BY_NAME.get(visit.request.path_params["section"])
    if section is None or section.single:
        return _back(visit)
    return _page(visit, section, name="", yaml=section.example, version="")


async def show_edit(visit: Visit) -> Response:
    """Render the form for a thing of a section."""
    section = BY_NAME.get(visit.request.path_params["section"])
    return await _show(visit, section, visit.request.path_params["name"]) if section else _back(visit)


async def _show(visit: Visit, section: Section, name: str) -> Response:
    try:
        found = await visit.api(*SETTINGS, section.name, name)
    except ApiError as error:
        if not section.single or error.status != NOT_FOUND:
            raise
        return _page(visit, section, name=name, yaml=section.example, version="")
    if not found["editable"]:
        return visit.page("notifications/elsewhere.html", ranged=False, status=409, noun=section.noun, name=name,
                          back=section.page, place=place(found))  # fmt: skip
    return _page(visit, section, name=name, yaml=dump(_short(found["value"])), version=found["version"])


def _short(value: Any) -> Any:
    """Return what is written without what says nothing."""
    if isinstance(value, dict):
        kept = {name: _short(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in NOTHING}
    return [_short(inner) for inner in value] if isinstance(value, list) else value


def _page(visit: Visit, section: Section, *, name: str, yaml: str, version: str) -> Response:
    return visit.page("notifications/thing.html", ranged=False, section=section, name=name, yaml=yaml, version=version)


def _back(visit: Visit) -> Response:
    del visit
    return RedirectResponse("/routes", status_code=303, headers=HEADERS)
