"""The routes about schedules of reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict

from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import ACTOR, body_schema, fields_of, text_of
from spanglass_server.api.params import Param
from spanglass_server.api.reports.refusals import refusals
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.query.answers import Time
from spanglass_server.reports.kinds import KINDS
from spanglass_server.reports.rendering.formats import FORMATS
from spanglass_server.reports.schedules.model import MOST_CHANNELS, Schedule
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.api.schema import Schema
    from spanglass_server.reports.schedules.model import Kept
    from spanglass_server.reports.schedules.scheduler import Scheduler
    from spanglass_server.store.ports import QuerySession

_TEXTS: Final = ("kind", "service", "last", "cron", "zone", "format", "actor")
_LONGEST: Final = 500
_FIELDS: Final[dict[str, Schema]] = {
    "kind": {**STRING, "enum": list(KINDS)},
    "service": {**STRING, "description": "only about this service; left out: about all of them"},
    "last": {**STRING, "description": "how long the range before each time is; left out: 7d"},
    "cron": {**STRING, "description": "times of crontab: 0 8 * * mon, @weekly"},
    "zone": {**STRING, "description": "the time zone of these; left out: UTC"},
    "channels": {
        "type": "array",
        "items": STRING,
        "maxItems": MOST_CHANNELS,
        "description": "who is told; mails have the file with them",
    },
    "format": {**STRING, "enum": list(FORMATS), "description": "the form of that file; left out: pdf"},
    "enabled": {"type": "boolean"},
    "actor": ACTOR,
}
_NEW: Final = body_schema(_FIELDS, ("kind", "cron"))
_CHANGE: Final = body_schema(_FIELDS)
_SCHEDULE: Final = Param("schedule", "text", help="The schedule's id.")


class ScheduleJson(TypedDict):
    """A schedule; ``next_time`` is null for one that is switched off."""

    id: str
    kind: str
    title: str
    service: str | None
    last: str
    cron: str
    zone: str
    channels: list[str]
    format: str
    enabled: bool
    actor: str
    created_time: Time
    next_time: Time | None


class ScheduleList(TypedDict):
    """All schedules."""

    schedules: list[ScheduleJson]


class DeletedSchedule(TypedDict):
    """The answer of a deletion."""

    deleted: str


@dataclass(frozen=True, slots=True)
class _Handlers:
    scheduler: Scheduler

    def list(self, _: QuerySession, __: Params) -> ScheduleList:
        """All of them."""
        with refusals():
            return {"schedules": [_json(kept) for kept in self.scheduler.all()]}

    def add(self, _: QuerySession, params: Params) -> ScheduleJson:
        """Keep one."""
        schedule = Schedule(**_given(params["body"], _NEW))
        with refusals():
            return _json(self.scheduler.add(schedule))

    def change(self, _: QuerySession, params: Params) -> ScheduleJson:
        """Change some of its fields."""
        changes = _given(params["body"], _CHANGE)
        with refusals():
            return _json(self.scheduler.change(params["schedule"], changes))

    def delete(self, _: QuerySession, params: Params) -> DeletedSchedule:
        """Forget one."""
        with refusals():
            self.scheduler.delete(params["schedule"])
        return {"deleted": params["schedule"]}


def _given(body: Any, schema: Schema) -> dict[str, Any]:
    """Return the fields that a body has; ApiError naming the one at fault."""
    fields = fields_of(body, schema)
    given: dict[str, Any] = {name: text_of(fields, name, "", _LONGEST) for name in _TEXTS if name in fields}
    if "enabled" in fields:
        if not isinstance(fields["enabled"], bool):
            raise ApiError(
                "bad_request", "enabled is neither true nor false", field="enabled", hint="send true or false"
            )
        given["enabled"] = fields["enabled"]
    if "channels" in fields:
        names = fields["channels"]
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise ApiError("bad_request", "channels is no list of names", field="channels", hint='send ["ops-mail"]')
        if len(names) > MOST_CHANNELS:
            raise ApiError(
                "bad_request", "these are too many channels", field="channels", hint=f"at most {MOST_CHANNELS}"
            )
        given["channels"] = tuple(dict.fromkeys(names))
    return given


def _json(kept: Kept) -> ScheduleJson:
    schedule = kept.schedule
    return {
        "id": kept.id,
        "kind": schedule.kind,
        "title": KINDS[schedule.kind].title if schedule.kind in KINDS else schedule.kind,
        "service": schedule.service or None,
        "last": schedule.last,
        "cron": schedule.cron,
        "zone": schedule.zone,
        "channels": list(schedule.channels),
        "format": schedule.format,
        "enabled": schedule.enabled,
        "actor": schedule.actor,
        "created_time": format_time(kept.created_ns),
        "next_time": format_time(kept.next_ns) if kept.next_ns else None,
    }


def schedule_routes(scheduler: Scheduler) -> tuple[Route, ...]:
    """Return the routes."""
    handlers = _Handlers(scheduler)
    return (
        Route(
            path="/report-schedules",
            summary="Schedules of reports.",
            response=schema_of(ScheduleList),
            query=handlers.list,
        ),
        Route(
            method="POST",
            path="/report-schedules",
            summary="Have a report made at times of crontab, and channels told of it.",
            body=_NEW,
            response=schema_of(ScheduleJson),
            status=201,
            query=handlers.add,
        ),
        Route(
            method="PATCH",
            path="/report-schedules/{schedule}",
            summary="Change some fields of a schedule.",
            parameters=(_SCHEDULE,),
            body=_CHANGE,
            response=schema_of(ScheduleJson),
            query=handlers.change,
        ),
        Route(
            method="DELETE",
            path="/report-schedules/{schedule}",
            summary="Delete a schedule; its reports stay.",
            parameters=(_SCHEDULE,),
            response=schema_of(DeletedSchedule),
            query=handlers.delete,
        ),
    )
