"""Types of the answers about reports, and reports as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Time, TimeRange
from spanglass_server.reports.kinds import KINDS, title_of
from spanglass_server.reports.model import Report, State
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.reports.desk import ReportDesk
    from spanglass_server.reports.model import Entry


class ProgressJson(TypedDict):
    """Sections that are done, of how many, and the title of the one that is being made."""

    done: int
    total: int
    section: str


class ReportEntry(TypedDict):
    """A report that was asked for. ``service`` is null where it is about all; ``error`` says why it failed."""

    id: str
    kind: str
    title: str
    service: str | None
    window: TimeRange
    state: Literal["waiting", "running", "done", "failed"]
    progress: ProgressJson
    created_time: Time
    done_time: Time | None
    actor: str
    error: str
    bytes: Annotated[int, JsonSchema({"description": "what its content takes in the store"})]


class KindJson(TypedDict):
    """A kind of reports; ``sections`` are their titles."""

    kind: str
    title: str
    summary: str
    sections: list[str]


class ReportList(TypedDict):
    """Reports, the newest first, and the kinds that can be asked for."""

    reports: list[ReportEntry]
    kinds: list[KindJson]


class ReportAnswer(ReportEntry):
    """A report with its content, null until it is done."""

    report: Report | None


class DeletedReport(TypedDict):
    """The answer of a deletion."""

    deleted: str


def entry_json(desk: ReportDesk, entry: Entry) -> ReportEntry:
    """Write a report without its content."""
    scope, progress = entry.scope, desk.progress(entry.id)
    return {
        "id": entry.id,
        "kind": scope.kind,
        "title": title_of(scope),
        "service": scope.service or None,
        "window": {"start_time": format_time(scope.start_ns), "end_time": format_time(scope.end_ns)},
        "state": entry.state.value,
        "progress": {"done": progress.done, "total": progress.total, "section": progress.section},
        "created_time": format_time(entry.created_ns),
        "done_time": format_time(entry.done_ns) if entry.done_ns else None,
        "actor": entry.actor,
        "error": entry.error,
        "bytes": entry.bytes,
    }


def report_json(desk: ReportDesk, entry: Entry) -> ReportAnswer:
    """Write a report with its content."""
    content = desk.content(entry.id) if entry.state is State.DONE else None
    return {**entry_json(desk, entry), "report": content}


def kinds_json() -> list[KindJson]:
    """Write the kinds."""
    return [
        {
            "kind": kind.name,
            "title": kind.title,
            "summary": kind.summary,
            "sections": [part.title for part in kind.parts],
        }
        for kind in KINDS.values()
    ]
