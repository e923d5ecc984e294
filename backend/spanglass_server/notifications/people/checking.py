"""What is wrong with people, rotas and escalations together: names that there are not, or of more than one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.forms.problems import Problem, meant
from spanglass_server.notifications.people.telling import kinds_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from spanglass_server.notifications.people.model import Escalation, Person, Rota, Target
    from spanglass_server.notifications.ports import Configuration

_OWN_KEYS = ("time_zone", "quiet_hours", "full_name")


def wrong_names(configured: Configuration) -> Iterator[tuple[str, str, Problem]]:
    """Every name that does not lead anywhere: the section and the name of what holds it, and the problem."""
    for name, person in configured.people.items():
        yield from (("people", name, problem) for problem in _of_person(person, configured))
    for name, rota in configured.rotas.items():
        yield from (("rotas", name, problem) for problem in _of_rota(rota, configured))
    for name, escalation in configured.escalations.items():
        yield from (("escalations", name, problem) for problem in _of_escalation(escalation, configured))


def _of_person(person: Person, configured: Configuration) -> Iterator[Problem]:
    for channel in person.channels:
        if channel not in configured.channels:
            hint = meant(channel, [*configured.channels, *_OWN_KEYS])
            yield Problem(f"there is no channel {channel!r}", path=channel, hint=hint)


def _of_rota(rota: Rota, configured: Configuration) -> Iterator[Problem]:
    yield from _unknown("people", rota.people, configured)
    for place, shift in enumerate(rota.weekly):
        yield from _unknown(f"weekly[{place}].people", shift.people, configured)
    for place, override in enumerate(rota.overrides):
        yield from _unknown(f"overrides[{place}].person", [override.person], configured)


def _unknown(path: str, names: Collection[str], configured: Configuration) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name not in configured.people:
            yield Problem(f"there is no person {name!r}", path=path, hint=meant(name, configured.people))


def _of_escalation(escalation: Escalation, configured: Configuration) -> Iterator[Problem]:
    for place, step in enumerate(escalation.steps):
        path = f"steps[{place}]"
        for target in step.tell:
            yield from _of_target(target, f"{path}.tell", configured)
        for channel in step.by:
            if channel not in configured.channels:
                hint = meant(channel, configured.channels)
                yield Problem(f"there is no channel {channel!r}", path=f"{path}.by", hint=hint)


def _of_target(target: Target, path: str, configured: Configuration) -> Iterator[Problem]:
    kinds = kinds_of(target, configured)
    if not kinds:
        known = [*configured.channels, *configured.people, *configured.rotas]
        what = target.kind or "channel, person or rota"
        yield Problem(f"there is no {what} {target.name!r}", path=path, hint=meant(target.name, known))
    elif len(kinds) > 1:
        several = " and ".join(f"a {kind}" for kind in kinds)
        hint = f"write {' or '.join(f'{kind}:{target.name}' for kind in kinds)}"
        yield Problem(f"{target.name!r} is the name of {several}", path=path, hint=hint)
