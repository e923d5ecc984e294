"""What the server keeps beside records, as tables that are exported whole: alerts, issues, incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.sql_console.views import open_views
from spanglass_server.query.statements import run, statement

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.store.ports import QuerySession, Window

#: The view of each, and SQL for when its rows begin and end; those without an end go on.
KEPT = {
    "alerts": ("monitoring_alerts", "created_at", "resolved_at"),
    "issues": ("issues", "first_seen", "NULL::TIMESTAMP_NS"),
    "incidents": ("monitoring_incidents", "started_at", "resolved_at"),
}


def read_kept(session: QuerySession, name: str, window: Window) -> pa.Table:
    """Return the rows of a table that were there at any time of a range; BadQuestionError if the server has none."""
    view, begin, end = KEPT[name]
    if view not in session.offered():
        raise BadQuestionError(f"this server keeps no {name}", field="signal")
    open_views(session, {view})
    asked = statement(
        "exporting/kept",
        view=Sql(view),
        begin=Sql(begin),
        end=Sql(end),
        start_ns=window.start_ns,
        end_ns=window.end_ns,
    )
    return run(session, asked)
