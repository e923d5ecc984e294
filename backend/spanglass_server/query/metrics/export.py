"""Data points as they were sent, page by page, as OTLP/JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.language.sql import Sql
from spanglass_server.query.record_pages import ORDERS, Place, find_page
from spanglass_server.query.records import match_records
from spanglass_server.query.rows.otlp_metrics import metrics_data
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession, Window


def export_points(
    session: QuerySession,
    window: Window,
    *,
    name: str = "",
    filter_text: str = "",
    limit: int = 1000,
    descending: bool = True,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Answer ``GET /api/v1/metrics/points``: ``MetricsData`` and the next page's cursor.

    ``name`` is the stored one: what was sent under an old name comes out under it.
    """
    records = match_records(session, Signal.METRICS, window, filter_text)
    if name:
        records = records.restricted(Sql("metric_name = ?", (name,)), "metric_name")
    start = Place.decode(cursor, ORDERS[descending])
    page = find_page(session, records, start, limit, descending=descending)
    return {**metrics_data(page.table), "next_cursor": page.next_cursor(descending=descending)}
