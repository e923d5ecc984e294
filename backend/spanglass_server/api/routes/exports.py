"""Routes for files of whole ranges of records, of what the server keeps beside them, and of answers of SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypedDict

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import FILTER, RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.api.streaming import Streamed
from spanglass_server.query.answers import Time, TimeRange
from spanglass_server.query.exporting.forms import RECORD_FORMS, TABLE_FORMS
from spanglass_server.query.exporting.kept_tables import KEPT, read_kept
from spanglass_server.query.exporting.plan import pieces
from spanglass_server.query.exporting.records import Wanted, file_columns, stored_columns
from spanglass_server.query.exporting.running import Running, Written, begin_export, begin_table, next_bytes
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.relations import IN_TRACES, asks_about_others
from spanglass_server.query.sql_console.read import MAX_LIMIT, sql_table
from spanglass_server.query.sql_console.views import view_columns
from spanglass_server.query.structure.compiling import check_filter
from spanglass_server.query.window import describe
from spanglass_server.signals import SENT, Signal, sql_type
from spanglass_server.store.ports import Window
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_SENT = tuple(signal.value for signal in SENT)
_PART = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_MOST_PARTS = 10_000
_BY_FORM = "default"
#: Forms for people: under the names of SQL's views unless something else is asked for.
_READABLE = frozenset({"csv"})


class ExportPart(TypedDict):
    """A part of an export, by what it is asked for, and about how many records it has."""

    part: str
    start_time: Time
    end_time: Time
    rows: int


class StoredColumn(TypedDict):
    """A stored column, with its type of DuckDB."""

    name: str
    type: str


class ReadableColumn(TypedDict):
    """A column as SQL's views have it: DuckDB's SQL over stored columns."""

    name: str
    sql: str


class ExportPlan(TypedDict):
    """The answer of ``GET /api/v1/export/plan``."""

    window: TimeRange
    signal: str
    rows: int
    parts: list[ExportPart]
    stored: list[StoredColumn]
    readable: list[ReadableColumn]


#: So many records are one part, whatever is asked.
_ONE_PART: Final = 2**62


def _plan(session: QuerySession, params: Params) -> ExportPlan:
    window, signal = params["window"], Signal(params["signal"])
    tree = parse_filter(params["filter"] or "")
    check_filter(tree, signal)  # a mistake in it is told before the first part is asked for
    is_one = signal in IN_TRACES and asks_about_others(tree, signal)  # every part would look through the whole range
    cut = pieces(session, signal, window, _ONE_PART if is_one else params["rows"])
    if len(cut) > _MOST_PARTS:
        hint = "raise rows, or shorten the range"
        raise ApiError("bad_request", f"{len(cut)} parts are too many, {_MOST_PARTS} at most", field="rows", hint=hint)
    stored = stored_columns(session, signal, window)
    return {
        "window": describe(window),
        "signal": signal.value,
        "rows": sum(piece.rows for piece in cut),
        "parts": [
            {
                "part": f"{piece.window.start_ns}-{piece.window.end_ns}",
                "start_time": format_time(piece.window.start_ns),
                "end_time": format_time(piece.window.end_ns),
                "rows": piece.rows,
            }
            for piece in cut
        ],
        "stored": [{"name": name, "type": sql_type(signal, name)} for name in file_columns(signal, stored)],
        "readable": [{"name": name, "sql": sql} for name, (_, sql) in view_columns(signal, stored).items()],
    }


def _export(session: QuerySession, params: Params, running: Running | None) -> tuple[bytes, Running | None]:
    return next_bytes(session, running or _begin(session, params))


def _begin(session: QuerySession, params: Params) -> Running:
    signal, window = params["signal"], params["window"]
    if signal in KEPT:
        if params["filter"] or params["columns"] or params["part"]:
            field = next(name for name in ("filter", "columns", "part") if params[name])
            hint = "filter with SQL: GET /api/v1/sql/export"
            raise ApiError("bad_request", f"{signal} are exported whole, without {field}", field=field, hint=hint)
        return begin_table(read_kept(session, signal, window), _written(params))
    wanted = Wanted(
        Signal(signal), window, params["filter"] or "", _is_readable(params), tuple(params["columns"] or ())
    )
    return begin_export(session, wanted, _written(params), _part(params["part"], window))


def _written(params: Params) -> Written:
    return Written(params["format"], params["framing"] == "framed", params["formulas"] == "guarded")


def _is_readable(params: Params) -> bool:
    names, form = params["names"], params["format"]
    if names == "readable" and form == "otlp":
        raise ApiError("bad_request", "OTLP has names of its own", field="names", hint="leave names out")
    return names == "readable" or (names == _BY_FORM and (form in _READABLE or bool(params["columns"])))


def _part(text: str | None, window: Window) -> Window | None:
    if text is None:
        return None
    found = _PART.fullmatch(text)
    part = Window(int(found[1]), int(found[2])) if found else None
    if part is None or not window.start_ns <= part.start_ns < part.end_ns <= window.end_ns:
        hint = "take one of the parts of GET /api/v1/export/plan, with the range of its answer"
        raise ApiError("bad_request", f"{text!r} is no part of the range", field="part", hint=hint)
    return part


def _export_sql(session: QuerySession, params: Params, running: Running | None) -> tuple[bytes, Running | None]:
    if running is None:
        running = begin_table(sql_table(session, params["sql"], limit=params["limit"]), _written(params))
    return next_bytes(session, running)


def form_param(forms: dict[str, Any], default: str) -> Param:
    """Declare the parameter ``format``."""
    return Param("format", "choice", default, "The form of the file.", choices=tuple(forms))


#: What becomes of texts that a spreadsheet would run.
FORMULAS = Param(
    "formulas",
    "choice",
    "guarded",
    "Texts and names of columns of CSV that a spreadsheet would run: guarded by an apostrophe, or plain.",
    choices=("guarded", "plain"),
)
_FRAMING = Param(
    "framing",
    "choice",
    "plain",
    "framed: in frames, each of which says how many bytes and records it has, for programs that show progress.",
    choices=("plain", "framed"),
)

ROUTES = (
    Route(
        path="/export",
        summary="All records of a range as a file.",
        description="Sent as it is made, without a limit. What fails on the way cuts the connection.",
        parameters=(
            Param("signal", "choice", "spans", "What is exported.", choices=(*_SENT, *KEPT)),
            *RANGE,
            FILTER,
            form_param(RECORD_FORMS, "parquet"),
            Param(
                "names",
                "choice",
                _BY_FORM,
                "Columns as they are stored, which loses nothing, or readable, as SQL's views have them. Default: "
                "readable for csv and with columns, else stored.",
                choices=(_BY_FORM, "stored", "readable"),
            ),
            Param("columns", "keys", help="Readable columns, all without.", maximum=1_000),
            Param("part", "text", help="One part of the range, of GET /api/v1/export/plan; with the columns of all."),
            FORMULAS,
            _FRAMING,
        ),
        response=STRING,
        streamed=Streamed(_export, RECORD_FORMS, lambda params: str(params["signal"])),
    ),
    Route(
        path="/export/plan",
        summary="A range in parts that can be exported one by one, and its columns.",
        description="Nothing is read for it: numbers of records are estimates, and without the filter.",
        parameters=(
            Param("signal", "choice", "spans", "What is exported.", choices=_SENT),
            *RANGE,
            FILTER,
            Param("rows", "integer", 1_000_000, "About how many records a part has.", minimum=1, maximum=100_000_000),
        ),
        response=schema_of(ExportPlan),
        query=_plan,
    ),
    Route(
        path="/sql/export",
        summary="The answer of read-only SQL as a file.",
        description="An answer of more rows than the limit is refused, never cut.",
        parameters=(
            Param("sql", "text", help="One SELECT, as of POST /api/v1/sql.", required=True),
            form_param(TABLE_FORMS, "csv"),
            Param("limit", "integer", MAX_LIMIT, "Most rows of the answer.", minimum=1, maximum=MAX_LIMIT),
            FORMULAS,
            _FRAMING,
        ),
        response=STRING,
        streamed=Streamed(_export_sql, TABLE_FORMS, "answer"),
    ),
)
