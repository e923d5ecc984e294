"""The draft of a postmortem in Markdown: what is known of an incident, and places for what people have to say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spanglass_server.incidents.model import ALERT
from spanglass_server.incidents.words import took
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.incidents.model import Incident, Line, Member
    from spanglass_server.incidents.similar import Similar

#: What means something in Markdown, in the middle of a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
_MOST_LINES, _MOST_ALERTS = 300, 100
_AT_ONCE_NS = 2 * NS_PER_SECOND
#: Lines whose text says all of it.
_TOLD = frozenset({"step", "responder", "edited", "postmortem"})
_TO_FILL = "_To be written._"


def draft(incident: Incident, members: Sequence[Member], timeline: Sequence[Line], past: Sequence[Similar]) -> str:
    """Write it. Texts from outside are escaped, times are in UTC."""
    parts = [
        f"# {incident.id}: {plain(incident.title)}",
        _facts(incident),
        _section("Summary", [plain(incident.summary) if incident.summary else _TO_FILL]),
        _section("Impact", _impact(incident)),
        _section("Root cause", [plain(incident.cause) if incident.cause else _TO_FILL]),
        _section("Resolution", [plain(incident.resolution) if incident.resolution else _TO_FILL]),
        _section("Detection", _detection(members)),
        _section("Timeline", [*_timeline(timeline, {member.alert_id: member for member in members})]),
        _section("Alerts", _alerts(members)) if members else "",
        _section("Response steps", _steps(incident)) if incident.steps else "",
        _section("Similar past incidents", _past(past)) if past else "",
        _section("What went well", ["- "]),
        _section("What went badly", ["- "]),
        _section("Action items", ["| what | who | by when |", "| --- | --- | --- |", "|  |  |  |"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """A text from outside as one line of Markdown in which nothing means anything."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", *lines])


def _time(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC):%Y-%m-%d %H:%M:%S}"


def _facts(incident: Incident) -> str:
    rows = [
        ("Severity", str(incident.severity)),
        ("Status", str(incident.status)),
        ("Services", ", ".join(dict.fromkeys((*incident.services, *incident.named)))),
        ("Hosts", ", ".join(incident.hosts)),
        ("Lead", incident.lead),
        ("Responders", ", ".join(incident.responders)),
        ("Began", _moment(incident.started_ns, incident.started_ns)),
        ("Opened", _moment(incident.opened_ns, incident.started_ns)),
        ("Acknowledged", _moment(incident.acknowledged_ns, incident.opened_ns)),
        ("Recovered", _moment(incident.recovered_ns, incident.started_ns)),
        ("Over", _moment(incident.resolved_ns, incident.opened_ns)),
    ]
    table = [f"| {name} | {plain(value)} |" for name, value in rows if value]
    return "\n".join(["| | |", "| --- | --- |", *table])


def _moment(time_ns: int, since_ns: int) -> str:
    if not time_ns:
        return ""
    after = f", after {took(time_ns - since_ns)}" if time_ns > since_ns else ""
    return f"{_time(time_ns)} UTC{after}"


def _impact(incident: Incident) -> list[str]:
    if not incident.recovered_ns:
        return [f"It began at {_time(incident.started_ns)} UTC and has not recovered.", "", _TO_FILL]
    lasted = took(incident.recovered_ns - incident.started_ns)
    return [
        f"It lasted {lasted}, from {_time(incident.started_ns)} to {_time(incident.recovered_ns)} UTC.",
        "",
        _TO_FILL,
    ]


def _detection(members: Sequence[Member]) -> list[str]:
    present = [member for member in members if not member.left]
    if not present:
        return ["No alert told of it: a person opened it."]
    first = min(present, key=lambda member: member.created_ns)
    return [f"The first alert was {plain(first.title)}, at {_time(first.created_ns)} UTC."]


def _timeline(timeline: Sequence[Line], members: dict[str, Member]) -> Iterable[str]:
    left_out = len(timeline) - _MOST_LINES
    if left_out > 0:
        yield f"The first {left_out} entries are left out."
        yield ""
    yield "| UTC | who | what |"
    yield "| --- | --- | --- |"
    for lines in _at_once(timeline[-_MOST_LINES:]):
        line = lines[0]
        titles = list(dict.fromkeys(members[each.alert_id].title for each in lines if each.alert_id in members))
        more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
        about = f" {plain(titles[0])}{more}" if titles else ""
        what = f"alert {line.kind.removeprefix(ALERT)}" if line.kind.startswith(ALERT) else line.kind
        words = [f"{what}{about}" if line.kind not in _TOLD or not line.text else "", plain(line.text)]
        yield f"| {_time(line.time_ns)} | {plain(line.by)} | {': '.join(filter(None, words))} |"


def _at_once(timeline: Sequence[Line]) -> Iterable[list[Line]]:
    """Lines, those of alerts that say the same within two seconds together: a group is told of as one."""
    found: list[list[Line]] = []
    for line in timeline:
        last = found[-1][-1] if found else None
        is_alike = last is not None and (last.kind, last.text, last.by) == (line.kind, line.text, line.by)
        if last and is_alike and line.alert_id and line.time_ns - last.time_ns <= _AT_ONCE_NS:
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _alerts(members: Sequence[Member]) -> list[str]:
    present = [member for member in members if not member.left]
    rows = [
        f"| {plain(each.title)} | {each.severity} | {plain(each.service or each.host)} | {_time(each.created_ns)} | "
        f"{took(each.ended_ns - each.created_ns) if each.ended_ns else 'open'} | {plain(each.because)} |"
        for each in present[:_MOST_ALERTS]
    ]
    more = [f"| and {len(present) - _MOST_ALERTS} more | | | | | |"] if len(present) > _MOST_ALERTS else []
    head = ["| alert | severity | about | raised (UTC) | lasted | why it belongs here |", "|" + " --- |" * 6]
    return [*head, *rows, *more]


def _steps(incident: Incident) -> list[str]:
    return [
        f"- [{'x' if step.done_ns else ' '}] {plain(step.text)}"
        + (f" ({plain(step.done_by)}, {_time(step.done_ns)} UTC)" if step.done_ns else "")
        for step in incident.steps
    ]


def _past(past: Sequence[Similar]) -> list[str]:
    return [
        f"- {each.incident.id} {plain(each.incident.title)} ({_time(each.incident.opened_ns)} UTC, {plain(each.why)}): "
        f"{plain(each.incident.resolution or each.incident.cause) or str(each.incident.status)}"
        for each in past
    ]
