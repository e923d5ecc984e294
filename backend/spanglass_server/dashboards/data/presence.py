"""Whether a dashboard has data: one that names what it appears with is listed while that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.dashboards.data.failing import QueryFailedError, failing
from spanglass_server.dashboards.data.variables import selector_of
from spanglass_server.promql.series.labels import NAME
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession, Window

_SIGNALS = {"spans": Signal.SPANS, "logs": Signal.LOGS}


def has_data(session: QuerySession, source: SeriesSource, dashboard: Dashboard, window: Window) -> bool:
    """Whether any of a dashboard's selectors has series in the range; ``spans`` and ``logs`` are records stored."""
    return any(_is_there(session, source, text, window) for text in dashboard.appears_with)


def _is_there(session: QuerySession, source: SeriesSource, text: str, window: Window) -> bool:
    if text in _SIGNALS:
        return session.first_ns(_SIGNALS[text]) is not None
    try:
        with failing("appears_with"):
            return bool(source.label_values(NAME, [selector_of(window, text, NAME)]))
    except QueryFailedError:
        return True  # shown rather than lost for a mistake
