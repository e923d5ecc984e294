"""Coverage of services and hosts: each family is there, stale, missing or not needed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypedDict

from spanglass_server.query.answers import Slot, Time, TimeRange
from spanglass_server.query.coverage.families import FAMILIES, Group, Subject
from spanglass_server.query.coverage.reading import read_subjects
from spanglass_server.query.window import describe
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.query.coverage.families import Family
    from spanglass_server.query.coverage.reading import Told
    from spanglass_server.store.ports import QuerySession, Window

State = Literal["there", "stale", "missing", "not_needed"]
#: What is measured is sent every minute by default (requirement N8); ten times that is an outage.
FRESH_NS = 600 * NS_PER_SECOND


class FamilyAnswer(TypedDict):
    """A family, and the line that would send it."""

    key: str
    group: Group
    subject: Subject
    title: str
    remedy: str


class CoverageCell(TypedDict):
    """A family of one service or host; ``last_time`` is when it was last told in the range."""

    family: str
    state: State
    last_time: Time | None


class CoveredSubject(TypedDict):
    """A service or host with its families; hosts have no colour."""

    subject: Subject
    name: str
    slot: Slot | None
    families: list[CoverageCell]
    missing: int
    stale: int


class Coverage(TypedDict):
    """The answer of ``GET /api/v1/coverage``; the counts are of all subjects, and ``ratio`` is null of none."""

    window: TimeRange
    families: list[FamilyAnswer]
    subjects: list[CoveredSubject]
    total: int
    there: int
    stale: int
    missing: int
    ratio: float | None


def judge_coverage(session: QuerySession, window: Window, limit: int) -> Coverage:
    """Answer ``GET /api/v1/coverage``: those with most missing come first, hosts before services."""
    found = read_subjects(session, window)
    subjects = [_subject("host", name, told, None, window) for name, told in found.hosts.items()]
    subjects += [
        _subject("service", name, told, session.service_slot(name), window) for name, told in found.services.items()
    ]
    subjects.sort(key=lambda each: (each["subject"], -each["missing"], -each["stale"], each["name"]))
    counts = Counter(cell["state"] for each in subjects for cell in each["families"])
    required = counts["there"] + counts["stale"] + counts["missing"]
    return {
        "window": describe(window),
        "families": [
            {"key": each.key, "group": each.group, "subject": each.subject, "title": each.title, "remedy": each.remedy}
            for each in FAMILIES
        ],
        "subjects": subjects[:limit],
        "total": len(subjects),
        "there": counts["there"],
        "stale": counts["stale"],
        "missing": counts["missing"],
        "ratio": counts["there"] / required if required else None,
    }


def _subject(kind: Subject, name: str, told: Told, slot: int | None, window: Window) -> CoveredSubject:
    cells: list[CoverageCell] = [
        {
            "family": family.key,
            "state": state_of(family, told, window.end_ns),
            "last_time": format_time(told[family.key]) if family.key in told else None,
        }
        for family in FAMILIES
        if family.subject == kind
    ]
    states = Counter(cell["state"] for cell in cells)
    return {
        "subject": kind, "name": name, "slot": slot, "families": cells, "missing": states["missing"],
        "stale": states["stale"],
    }  # fmt: skip


def state_of(family: Family, told: Mapping[str, int], end_ns: int) -> State:
    """How a family of a service or host is at a time, by when it last told of what."""
    last_ns = told.get(family.key)
    if last_ns is None:
        required = not family.needed or any(key in told for key in family.needed)
        return "missing" if required else "not_needed"
    return "stale" if family.measured and last_ns < end_ns - FRESH_NS else "there"
