"""Whom a step reaches: channels, people by their channels, and whoever is on call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.people.model import Recipient, Target
from spanglass_server.notifications.people.quiet import quiet_until
from spanglass_server.notifications.people.rota import on_call
from spanglass_server.notifications.routing.tree import all_routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.notifications.people.model import Person, Step, TargetKind
    from spanglass_server.notifications.ports import Configuration


def target_of(text: str) -> Target:
    """Read ``slack``, ``channel:slack``, ``person:ann`` or ``rota:db``."""
    kinds: dict[str, TargetKind] = {"channel": "channel", "person": "person", "rota": "rota"}
    kind, colon, name = text.partition(":")
    return Target(name.strip(), kinds[kind]) if colon and kind in kinds else Target(text.strip())


def kinds_of(target: Target, configured: Configuration) -> list[TargetKind]:
    """Which of channel, person and rota there is of a target's name."""
    sections: tuple[tuple[TargetKind, Iterable[str]], ...] = (
        ("channel", configured.channels),
        ("person", configured.people),
        ("rota", configured.rotas),
    )
    return [kind for kind, names in sections if target.name in names and target.kind in {"", kind}]


def recipients(
    targets: Sequence[Target], by: Sequence[str], configured: Configuration, severity: Severity, at_ns: int
) -> list[Recipient]:
    """Who is reached, each once. ``by`` are the channels used of people, all that they have without any.

    Somebody who is on call is told whatever their quiet hours are. A name that is not configured (any longer), a rota
    with nobody on call, and a person without a channel that is used reach nobody.
    """
    found: dict[tuple[str, str], Recipient] = {}
    for target in targets:
        for each in _reached(target, by, configured, severity, at_ns):
            before = found.get((each.channel, each.person))
            if before is None or each.until_ns < before.until_ns:
                found[each.channel, each.person] = each
    return list(found.values())


def _reached(
    target: Target, by: Sequence[str], configured: Configuration, severity: Severity, at_ns: int
) -> list[Recipient]:
    kind = next(iter(kinds_of(target, configured)), "")
    if kind == "channel":
        return [Recipient(channel=target.name)]
    if kind == "person":
        person = configured.people[target.name]
        return _person(target.name, person, by, configured, target.name, quiet_until(person, severity, at_ns))
    if kind == "rota":
        name = on_call(configured.rotas[target.name], at_ns).person
        if name in configured.people:
            return _person(name, configured.people[name], by, configured, f"{name}, on call in {target.name}", 0)
    return []


def _person(
    name: str, person: Person, by: Sequence[str], configured: Configuration, why: str, until_ns: int
) -> list[Recipient]:
    return [
        Recipient(channel=channel, addresses=reach.to, person=name, why=why, until_ns=until_ns)
        for channel, reach in person.channels.items()
        if channel in configured.channels and (not by or channel in by)
    ]


def unreached(configured: Configuration, at_ns: int) -> list[str]:
    """Escalations of routes that would reach nobody now, whatever happens, and people whom a step can't reach."""
    used = {route.escalation for route in all_routes(configured.route) if route.escalation}
    problems = []
    for name in sorted(used & configured.escalations.keys()):
        steps = configured.escalations[name].steps
        if not any(recipients(step.tell, step.by, configured, Severity.CRITICAL, at_ns) for step in steps):
            empty = [str(target) for step in steps for target in step.tell]
            problems.append(
                f"the escalation {name!r} reaches nobody now: nobody is on call in, or can be told as, "
                f"{', '.join(dict.fromkeys(empty))}"
            )
        for place, step in enumerate(steps, 1):
            lacking = [name for name in _people_of(step, configured) if _lacks(name, step, configured)]
            if lacking:
                problems.append(
                    f"step {place} of the escalation {name!r} can't tell {', '.join(lacking)}: it tells by "
                    f"{', '.join(step.by)}, which they do not have"
                )
    return problems


def _people_of(step: Step, configured: Configuration) -> list[str]:
    """The people whom a step tells by name, and all of its rotas."""
    found: list[str] = []
    for target in step.tell:
        kind = next(iter(kinds_of(target, configured)), "")
        if kind == "person":
            found.append(target.name)
        elif kind == "rota":
            rota = configured.rotas[target.name]
            found += [*rota.people, *(name for shift in rota.weekly for name in shift.people)]
    return list(dict.fromkeys(found))


def _lacks(name: str, step: Step, configured: Configuration) -> bool:
    person = configured.people.get(name)
    return bool(step.by) and person is not None and not set(step.by) & set(person.channels)
