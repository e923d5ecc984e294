"""Whether anything came in around a tick, asked of stored records."""

from __future__ import annotations

import pytest

from spanglass_server.alerting.watching.silence import live
from spanglass_server.findings.announcing import COUNT
from spanglass_server.promql.series.vectors import Steps

S = 10**9


@pytest.mark.parametrize(
    ("records", "steps", "said"),
    [
        ({}, Steps(900_000, 15_000, 3), [False] * 3),
        ({"spans": 885}, Steps(900_000, 15_000, 1), [True]),
        ({"logs": 810}, Steps(900_000, 15_000, 1), [False]),
        ({"metrics": 811}, Steps(900_000, 15_000, 1), [True]),
        ({"spans": 901}, Steps(900_000, 15_000, 1), [False]),
        ({"spans": 901}, Steps(900_000, 15_000, 9), [False, *[True] * 6, False, False]),
        ({"spans": 870, "logs": 975}, Steps(900_000, 15_000, 12), [*[True] * 4, False, *[True] * 6, False]),
        ({"spans": 901}, Steps(600_000, 300_000, 4), [False, False, True, False]),
    ],
)
def test_live(open_tables, records, steps, said):
    """A step is live if a record of any signal has a time in the 90 s up to it, or since the step before.

    What the server makes of spans that came in, whatever their times, is no record.
    """
    times = {"spans": "start_time_ns", "logs": "time_ns", "metrics": "time_ns"}
    tables = {signal: [{times[signal]: second * S}] for signal, second in records.items()}
    own = [{"time_ns": second * S, "metric_name": COUNT} for second in range(600, 1800, 15)]
    session = open_tables(**{**tables, "metrics": [*tables.get("metrics", ()), *own]})

    assert live(session, steps).tolist() == said
    single = [Steps(steps.start_ms + n * steps.step_ms, steps.step_ms, 1) for n in range(steps.size)]
    assert [live(session, step).all() for step in single] == said
