"""What becomes of an incident by what people say of it; pure, so that every store does the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.incidents.following import settled
from spanglass_server.incidents.lifecycle import Status, change
from spanglass_server.incidents.model import Held, Line, ResponseStep, Turn
from spanglass_server.incidents.steps import added

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_core.alerting.severity import Severity
    from spanglass_server.incidents.model import Incident, Member

#: How the status that somebody gave reads in the timeline.
_KINDS = {
    Status.OPEN: "reopened",
    Status.ACKNOWLEDGED: "acknowledged",
    Status.RECOVERED: "recovered",
    Status.RESOLVED: "resolved",
    Status.DISMISSED: "dismissed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to be written anew of an incident; None leaves it."""

    title: str | None = None
    summary: str | None = None
    severity: Severity | None = None
    started_ns: int | None = None
    lead: str | None = None
    cause: str | None = None
    resolution: str | None = None
    named: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None


class StepNotFoundError(KeyError):
    """The incident has no response step of that number."""


def with_status(held: Held, status: Status, by: str, reason: str, now_ns: int) -> Turn:
    """Another status; raises ``IllegalChangeError``. Who acknowledges an incident leads it, unless somebody does."""
    before = held.incident
    after = replace(before, status=change(before.status, status), updated_ns=now_ns)
    if status is Status.OPEN:
        after = _opened_again(after)
    elif status is Status.ACKNOWLEDGED:
        after = replace(
            _with_responders(after, [by]), acknowledged_ns=before.acknowledged_ns or now_ns, recovered_ns=0,
            acknowledged_by=before.acknowledged_by or by, lead=before.lead or by,
        )  # fmt: skip
    elif status is Status.RECOVERED:
        after = replace(after, recovered_ns=now_ns)
    else:
        after = replace(
            after, resolved_ns=now_ns, resolved_by=by, recovered_ns=before.recovered_ns or now_ns,
            resolution=before.resolution or reason,
        )  # fmt: skip
    return Turn(after, lines=(Line(now_ns, _KINDS[status], by, reason),))


def _opened_again(incident: Incident) -> Incident:
    return replace(
        incident, acknowledged_ns=0, acknowledged_by="", recovered_ns=0, resolved_ns=0, resolved_by="", overdue_ns=0,
        merged_into="",
    )  # fmt: skip


def edited(held: Held, edit: Edit, by: str, reason: str, now_ns: int) -> Turn:
    """Other words, severity or start; these two stay as a person set them."""
    wanted = {name: getattr(edit, name) for name in edit.__slots__}
    given = {name: value for name, value in wanted.items() if value is not None}
    after = replace(held.incident, **given, updated_ns=now_ns)
    if edit.severity is not None:
        after = replace(after, severity_by=by)
    if edit.started_ns is not None:
        after = replace(after, started_by=by)
    if edit.lead:
        after = _with_responders(after, [edit.lead])
    changed = [name.removesuffix("_ns") for name in given if getattr(held.incident, name) != getattr(after, name)]
    text = reason or ("changed: " + ", ".join("services" if name == "named" else name for name in changed))
    severity = edit.severity or ""
    return Turn(after, lines=(Line(now_ns, "edited", by, text, severity),) if changed else ())


def noted(held: Held, by: str, text: str, now_ns: int) -> Turn:
    """A note."""
    return Turn(replace(held.incident, updated_ns=now_ns), lines=(Line(now_ns, "note", by, text),))


def with_responders(held: Held, names: Sequence[str], by: str, now_ns: int) -> Turn:
    """Other people who see to it."""
    before = held.incident
    responders = tuple(dict.fromkeys(name for name in names if name))
    come = [name for name in responders if name not in before.responders]
    gone = [name for name in before.responders if name not in responders]
    said = "; ".join(
        filter(None, (_listed("added {} to the responders", come), _listed("took {} off the responders", gone)))
    )
    after = replace(before, responders=responders, updated_ns=now_ns)
    return Turn(after, lines=(Line(now_ns, "responder", by, said),) if said else ())


def _listed(words: str, names: Sequence[str]) -> str:
    return words.format(", ".join(names)) if names else ""


def _with_responders(incident: Incident, names: Iterable[str]) -> Incident:
    return replace(incident, responders=tuple(dict.fromkeys((*incident.responders, *filter(None, names)))))


def with_step(held: Held, text: str, by: str, now_ns: int) -> Turn:
    """One more response step."""
    after = replace(held.incident, steps=(*held.incident.steps, ResponseStep(text, by)), updated_ns=now_ns)
    return Turn(after, lines=(Line(now_ns, "step", by, f"added the step: {text}"),))


def step_done(held: Held, number: int, by: str, now_ns: int, *, done: bool) -> Turn:
    """Say that the response step of a number, from 1, is done, or is not; ``StepNotFoundError``."""
    steps = list(held.incident.steps)
    if not 1 <= number <= len(steps):
        raise StepNotFoundError(number)
    step = steps[number - 1]
    if bool(step.done_ns) is done:
        return Turn(held.incident)
    steps[number - 1] = replace(step, done_ns=now_ns if done else 0, done_by=by if done else "")
    line = Line(now_ns, "step", by, f"{'did' if done else 'took back'} the step: {step.text}")
    return Turn(replace(held.incident, steps=tuple(steps), updated_ns=now_ns), lines=(line,))


def with_members(held: Held, members: Sequence[Member], lines: Sequence[Line], by: str, now_ns: int) -> Turn:
    """Alerts that join, with what their history says."""
    known = {member.alert_id for member in held.present}
    come = tuple(member for member in members if member.alert_id not in known)
    joined = [Line(now_ns, "joined", by, member.because, member.severity, member.alert_id) for member in come]
    kept = {member.alert_id: member for member in (*held.members, *come)}
    incident, said = settled(Held(held.incident, tuple(kept.values())), now_ns)
    return Turn(incident, come, (*lines, *joined, *said))


def without_member(held: Held, alert_id: str, by: str, reason: str, now_ns: int) -> Turn:
    """An alert that does not belong here; ``KeyError`` where it is not one of them."""
    member = next((each for each in held.present if each.alert_id == alert_id), None)
    if member is None:
        raise KeyError(alert_id)
    gone = replace(member, left=True)
    rest = tuple(gone if each.alert_id == alert_id else each for each in held.members)
    incident, said = settled(Held(held.incident, rest), now_ns)
    line = Line(now_ns, "left", by, reason, "", alert_id)
    return Turn(replace(incident, updated_ns=now_ns), (gone,), (line, *said))


def merged(held: Held, into: Held, by: str, reason: str, now_ns: int) -> tuple[Turn, Turn]:
    """What becomes of an incident whose alerts and responders go to another one, and of that one."""
    gone, stays = held.incident, into.incident
    told = reason or f"the same as {stays.id}"
    over = replace(
        gone, status=Status.DISMISSED, resolved_ns=now_ns, resolved_by=by, merged_into=stays.id, updated_ns=now_ns,
        alert_count=0, open_count=0, resolution=gone.resolution or f"merged into {stays.id}",
    )  # fmt: skip
    moved = tuple(replace(member, because=f"came with {gone.id}") for member in held.present)
    after = replace(
        _with_responders(stays, [*gone.responders, gone.lead]), steps=added(stays.steps, gone.steps),
        named=tuple(dict.fromkeys((*stays.named, *gone.named))), updated_ns=now_ns,
    )  # fmt: skip
    incident, said = settled(Held(after, (*into.members, *moved)), now_ns)
    line = Line(now_ns, "merged", by, f"{gone.id} {gone.title}" + (f": {reason}" if reason else ""))
    return Turn(over, lines=(Line(now_ns, "merged", by, told),)), Turn(incident, moved, (line, *said))


def with_postmortem(held: Held, text: str, by: str, now_ns: int) -> Turn:
    """The postmortem as somebody wrote it; none goes back to the draft."""
    said = "wrote the postmortem" if text else "threw the postmortem away: there is the draft again"
    after = replace(held.incident, postmortem=text, updated_ns=now_ns)
    return Turn(after, lines=(Line(now_ns, "postmortem", by, said),))
