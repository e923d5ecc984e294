"""The routes about reports: asked for, listed, read, as a file, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import ACTOR, body_schema, fields_of, text_of
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.reports import answers
from spanglass_server.api.reports.refusals import refusals
from spanglass_server.api.routing import PREFIX, Route
from spanglass_server.api.schema import ANYTHING, STRING, schema_of
from spanglass_server.api.streaming import Streamed
from spanglass_server.query.window import parse_window
from spanglass_server.reports.kinds import KINDS
from spanglass_server.reports.model import Scope, State
from spanglass_server.reports.rendering.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.reports.desk import ReportDesk
    from spanglass_server.store.ports import QuerySession

_MONITORING: Final = "/api/monitoring"
_DEFAULT_LAST: Final = "7d"
_LONGEST: Final = 500
_TIMES: Final = ("start", "end", "last")
_NEW: Final = body_schema(
    {
        "kind": {**STRING, "enum": list(KINDS)},
        "service": {**STRING, "description": "only about this service; left out: about all of them"},
        "start": {**STRING, "description": "begin, as of ranges"},
        "end": {**STRING, "description": "end, not included; left out: now"},
        "last": {**STRING, "description": f"instead of start: a duration before the end; left out: {_DEFAULT_LAST}"},
        "actor": ACTOR,
    },
    ("kind",),
)
_REPORT: Final = Param("report", "text", help="The report's id.")
_FORMAT: Final = Param("format", "choice", "html", "The form of the file.", choices=tuple(FORMATS))
_WHICH: Final = (
    Param("kind", "choice", help="Only of this kind.", choices=tuple(KINDS)),
    Param("service", "text", help="Only about this service."),
    Param("state", "choice", help="Only in this state.", choices=tuple(State)),
    limit_param(100),
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    desk: ReportDesk
    base_url: Callable[[], str]

    def list(self, _: QuerySession, params: Params) -> answers.ReportList:
        """Reports that match."""
        with refusals():
            found = self.desk.entries(
                params["kind"] or "", params["service"] or "", params["state"] or "", params["limit"]
            )
            return {
                "reports": [answers.entry_json(self.desk, entry) for entry in found],
                "kinds": answers.kinds_json(),
            }

    def ask(self, _: QuerySession, params: Params) -> answers.ReportEntry:
        """Have one made."""
        scope, actor = _asked(params["body"], params["now_ns"])
        with refusals():
            return answers.entry_json(self.desk, self.desk.ask(scope, actor))

    def one(self, _: QuerySession, params: Params) -> answers.ReportAnswer:
        """One with its content."""
        with refusals():
            return answers.report_json(self.desk, self.desk.entry(params["report"]))

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedReport:
        """Forget one, or stop making it."""
        with refusals():
            self.desk.delete(params["report"])
        return {"deleted": params["report"]}

    def file(self, _: QuerySession, params: Params, __: Any) -> tuple[bytes, None]:
        """One as a file."""
        with refusals():
            report = self.desk.content(params["report"])
        return FORMATS[params["format"]].write(report, self.base_url()), None


def _asked(body: Any, now_ns: int) -> tuple[Scope, str]:
    """What a body asks for, and who asks; ApiError naming the field at fault."""
    fields = fields_of(body, _NEW)
    texts = {name: text_of(fields, name, "", _LONGEST) for name in _NEW["properties"]}
    if texts["kind"] not in KINDS:
        raise ApiError("bad_request", f"there is no kind {texts['kind']!r}", field="kind", expected=tuple(KINDS))
    start, end, last = (texts[name] for name in _TIMES)
    window = parse_window(now_ns, start=start, end=end, last=last or ("" if start else _DEFAULT_LAST))
    return Scope(texts["kind"], texts["service"], window.start_ns, window.end_ns), texts["actor"]


def report_routes(desk: ReportDesk, base_url: Callable[[], str]) -> tuple[Route, ...]:
    """Return the routes; ``base_url`` is the address that links in files begin with."""
    handlers = _Handlers(desk, base_url)
    return (*_routes(handlers, PREFIX, ""), *_routes(handlers, _MONITORING, "/"))


def _routes(handlers: _Handlers, prefix: str, end: str) -> tuple[Route, ...]:
    return (
        Route(
            prefix=prefix,
            path=f"/reports{end}",
            summary="Reports that were asked for, the newest first, and their kinds.",
            parameters=_WHICH,
            response=schema_of(answers.ReportList),
            query=handlers.list,
        ),
        Route(
            method="POST",
            prefix=prefix,
            path=f"/reports{end}",
            summary="Have a report made, in the background.",
            description="Ask for it by its id until its state is done. At most 20 wait at once.",
            body=_NEW,
            response=schema_of(answers.ReportEntry),
            status=202,
            query=handlers.ask,
        ),
        Route(
            prefix=prefix,
            path=f"/reports/{{report}}{end}",
            summary="One report with its sections, once it is done.",
            parameters=(_REPORT,),
            response=schema_of(answers.ReportAnswer),
            query=handlers.one,
        ),
        Route(
            method="DELETE",
            prefix=prefix,
            path=f"/reports/{{report}}{end}",
            summary="Delete a report; one that is being made is stopped.",
            parameters=(_REPORT,),
            response=schema_of(answers.DeletedReport),
            query=handlers.delete,
        ),
        Route(
            prefix=prefix,
            path=f"/reports/{{report}}/file{end}",
            summary="A report as a file.",
            parameters=(_REPORT, _FORMAT),
            response=ANYTHING,
            streamed=Streamed(
                handlers.file, {each.name: each.media_type for each in FORMATS.values()}, "spanglass-report"
            ),
        ),
    )
