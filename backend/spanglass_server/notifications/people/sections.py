"""People, rotas and escalations as sections of what is configured, with the names of other things in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.config.channels import CHANNELS
from spanglass_server.notifications.config.layouts import ByName
from spanglass_server.notifications.config.routes import ESCALATIONS
from spanglass_server.notifications.config.sections import Plain, Section, Use
from spanglass_server.notifications.people.shapes import ESCALATION, PERSON, ROTA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.notifications.people.model import Escalation, Person, Rota, Target

PEOPLE, ROTAS = "people", "rotas"
_BELOW = ("monitoring", "notifications")
#: The sections in which a target is looked up, by its kind.
_SECTIONS: Final = {
    "channel": (CHANNELS,),
    "person": (PEOPLE,),
    "rota": (ROTAS,),
    "": (CHANNELS, PEOPLE, ROTAS),
}


def _of_person(person: Person) -> Iterator[Use]:
    for channel in person.channels:
        yield Use(channel, (CHANNELS,), channel)


def _of_rota(rota: Rota) -> Iterator[Use]:
    for name in dict.fromkeys(rota.people):
        yield Use(name, (PEOPLE,), "people")
    for place, shift in enumerate(rota.weekly):
        for name in dict.fromkeys(shift.people):
            yield Use(name, (PEOPLE,), f"weekly[{place}].people")
    for place, override in enumerate(rota.overrides):
        yield Use(override.person, (PEOPLE,), f"overrides[{place}].person")


def _of_escalation(escalation: Escalation) -> Iterator[Use]:
    for place, step in enumerate(escalation.steps):
        yield from (_of_target(target, f"steps[{place}].tell") for target in step.tell)
        for channel in step.by:
            yield Use(channel, (CHANNELS,), f"steps[{place}].by")


def _of_target(target: Target, path: str) -> Use:
    return Use(target.name, _SECTIONS[target.kind], path)


def people_sections() -> tuple[Section, ...]:
    """The three sections."""
    return (
        Section(PEOPLE, "person", (*_BELOW, PEOPLE), Plain(PERSON), ByName(), uses=_of_person),
        Section(ROTAS, "rota", (*_BELOW, ROTAS), Plain(ROTA), ByName(), uses=_of_rota),
        Section(ESCALATIONS, "escalation", (*_BELOW, ESCALATIONS), Plain(ESCALATION), ByName(), uses=_of_escalation),
    )
