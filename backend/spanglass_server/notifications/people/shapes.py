"""The keys of people, rotas and escalations: the one place that says how each is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.form.kinds import Severe
from spanglass_server.forms.kinds import Duration, Many, Number, Text, Texts
from spanglass_server.forms.nodes import Entry, Node
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.people.clock import wall_time, zone_of
from spanglass_server.notifications.people.kinds import CLOCK, DATE, HANDOVER, TARGET, WALL, ZONE, Weekdays
from spanglass_server.notifications.people.model import (
    Escalation,
    Override,
    Person,
    QuietHours,
    Reach,
    Rota,
    Shift,
    Step,
)

if TYPE_CHECKING:
    from spanglass_server.forms.problems import Report

_NAMED = Text(may_be_empty=False)
_MANY_STEPS = 20
_MINUTE_NS = 60 * 10**9


def _reach(node: Node, _: Report) -> Node:
    """``email: ann@example.com``, or a list of addresses, is ``email: {to: ...}``."""
    if node.sort in {"mapping", "null"}:
        return Node("mapping", node.path, node.line, node.column, entries=node.entries)
    return _mapping(node, "to", node)


def _person(node: Node, _: Report) -> Node:
    """Keys that are none of a person's own are channels."""
    if node.sort != "mapping" or node.named("channels"):
        return node
    own = [entry for entry in node.entries if entry.key in _OWN]
    others = tuple(entry for entry in node.entries if entry.key not in _OWN)
    channels = Node("mapping", node.path, node.line, node.column, entries=others)
    return replace(node, entries=(*own, Entry("channels", node.line, node.column, channels)))


def _fold_person(written: dict[str, Any]) -> dict[str, Any]:
    return {**written.pop("channels"), **written}


def _escalation(node: Node, _: Report) -> Node:
    """A list is its steps."""
    return _mapping(node, "steps", node) if node.sort == "list" else node


def _fold_escalation(written: dict[str, Any]) -> Any:
    return written["steps"] if set(written) == {"steps"} else written


def _mapping(node: Node, key: str, value: Node) -> Node:
    return Node("mapping", node.path, node.line, node.column, entries=(Entry(key, node.line, node.column, value),))


def _check_hours(value: Any, node: Node, report: Report) -> None:
    if value.from_ == value.to:
        report.add(node, "from and to are the same time", 'write from: "00:00" and to: "24:00" for a whole day')


def _check_person(person: Person, node: Node, report: Report) -> None:
    if not person.channels:
        hint = "name one with the address there, such as email: {to: ann@example.com}"
        report.add(node, "there is no channel that reaches this person", hint)


def _check_override(override: Override, node: Node, report: Report) -> None:
    utc = zone_of("UTC")  # two times of one rota: the offset is the same, or nearly so
    if wall_time(override.from_, utc) >= wall_time(override.to, utc):
        report.add(node, "to is not after from", "give from the earlier of both times")


def _check_rota(rota: Rota, node: Node, report: Report) -> None:
    if not rota.people and not rota.weekly:
        report.add(node, "nobody is in this rota", "name people who take turns, or shifts as weekly")


def _check_shift(shift: Shift, node: Node, report: Report) -> None:
    _check_hours(shift, node, report)
    if not shift.people:
        report.add(node, "nobody is in this shift", "name one or more people")


def _check_step(step: Step, node: Node, report: Report) -> None:
    if not step.tell:
        report.add(node, "this step tells nobody", "name channels, people or rotas as tell")


def _check_escalation(escalation: Escalation, node: Node, report: Report) -> None:
    steps = escalation.steps
    if not steps:
        report.add(node, "there is no step", "begin with - tell: [...]")
    for place in range(1, len(steps)):
        if steps[place].after_ns < steps[place - 1].after_ns:
            message = f"step {place + 1} comes before the step above it"
            report.add(node, message, "after counts from the beginning: give later steps longer times")
    if escalation.repeat and not escalation.repeat_every_ns:
        report.add(node, "repeat needs repeat_every", "say how long after the last step it begins again: 30m")


REACH = Shape(Reach, {"to": Many(_NAMED, most=50, alone=True)}, unfold=_reach)

QUIET_HOURS = Shape(
    QuietHours,
    {"from": CLOCK, "to": CLOCK, "weekdays": Weekdays(), "severity": Severe()},
    check=_check_hours,
)
PERSON = Shape(
    Person,
    {
        "full_name": Text(),
        "channels": Texts(REACH, most=50),
        "time_zone": ZONE,
        "quiet_hours": Many(QUIET_HOURS, most=20, alone=True),
    },
    unfold=_person,
    fold=_fold_person,
    check=_check_person,
)
_OWN = frozenset({"full_name", "time_zone", "quiet_hours"})

SHIFT = Shape(
    Shift,
    {"people": Many(_NAMED, most=100, alone=True), "from": CLOCK, "to": CLOCK, "weekdays": Weekdays()},
    check=_check_shift,
)
OVERRIDE = Shape(Override, {"person": _NAMED, "from": WALL, "to": WALL, "reason": Text()}, check=_check_override)
ROTA = Shape(
    Rota,
    {
        "people": Many(_NAMED, most=100, alone=True),
        "time_zone": ZONE,
        "handover": HANDOVER,
        "weeks": Number(1, 52, whole=True),
        "starts": DATE,
        "weekly": Many(SHIFT, most=100),
        "overrides": Many(OVERRIDE),
    },
    check=_check_rota,
)
STEP = Shape(
    Step,
    {
        "after": Duration(may_be_off=True, none="0s"),
        "tell": Many(TARGET, most=50, alone=True),
        "by": Many(_NAMED, most=50, alone=True),
    },
    check=_check_step,
)
ESCALATION = Shape(
    Escalation,
    {
        "steps": Many(STEP, most=_MANY_STEPS),
        "repeat": Number(0, 100, whole=True),
        "repeat_every": Duration(_MINUTE_NS, may_be_off=True, none="0s"),
    },
    unfold=_escalation,
    fold=_fold_escalation,
    check=_check_escalation,
)
