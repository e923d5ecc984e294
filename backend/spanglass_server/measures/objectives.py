"""Measures of objectives: how fast their error budgets burn."""

from __future__ import annotations

from spanglass_server.measures.kinds import Share, Values
from spanglass_server.measures.sources import OBJECTIVE, Measure, of_objective, rates

OBJECTIVE_MEASURES: tuple[Measure, ...] = (
    of_objective(
        "slo_burn_rate",
        "",
        "How many times faster an error budget burns than it may: at 1 it lasts just as long as its window.",
        Share(
            rates("slo_bad_events_total{<m>}"),
            rates("slo_allowed_bad_events_total{<m>}"),
            OBJECTIVE,
            rates("slo_events_total{<m>}"),
        ),
    ),
    of_objective(
        "slo_events",
        "",
        "Events in the window that count for an objective.",
        Values(("sum by (<ids>) (increase(slo_events_total{<m>}[<w>]<o>))",), OBJECTIVE, "sum"),
    ),
)
