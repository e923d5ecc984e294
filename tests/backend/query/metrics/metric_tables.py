"""Stored points of one metric, made by hand, and questions about them."""

from __future__ import annotations

from spanglass_server.query.metrics.question import Question
from spanglass_server.query.metrics.range import query_range
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
#: The start of every test's window, a whole number of hours since 1970.
T0 = 1_763_721_600
WINDOW = Window(T0 * SECOND, (T0 + 600) * SECOND)
DELTA, CUMULATIVE = 1, 2


def point(kind, time_s, *, start_s=None, **values):
    """Make a stored point at seconds after the window's start."""
    row = {
        "metric_name": "m",
        "metric_type": kind,
        "time_ns": T0 * SECOND + round(time_s * SECOND),
        "resource.service.name:str": "web",
    }
    if start_s is not None:
        row["start_time_ns"] = T0 * SECOND + round(start_s * SECOND)
    return row | values


def counter(time_s, value, *, start_s=0, temporality=CUMULATIVE, **more):
    """Make a point of a monotonic sum."""
    return point("sum", time_s, start_s=start_s, value_int=value, is_monotonic=True, temporality=temporality, **more)


def gauge(time_s, value, **more):
    """Make a point of a gauge."""
    return point("gauge", time_s, value_double=value, **more)


def histogram(time_s, counts, total, *, start_s=0, temporality=CUMULATIVE, bounds=(1.0, 2.0, 4.0), **more):
    """Make a point of a histogram with explicit buckets."""
    return point(
        "histogram",
        time_s,
        start_s=start_s,
        temporality=temporality,
        count=sum(counts),
        sum=total,
        bucket_counts=list(counts),
        explicit_bounds=list(bounds),
        **more,
    )


def exponential_row(time_s, counts, *, offset=0, scale=0, zeros=0, start_s=0, temporality=CUMULATIVE, **more):
    """Make a point of an exponential histogram of positive values."""
    return point(
        "exponential_histogram",
        time_s,
        start_s=start_s,
        temporality=temporality,
        count=sum(counts) + zeros,
        sum=1.0,
        scale=scale,
        zero_count=zeros,
        positive_offset=offset,
        positive_counts=list(counts),
        **more,
    )


def ask(session, aggregate, *, step_s=60, window=WINDOW, **options):
    """Run a range query over metric m; points as {seconds after the window's start: value} for each group."""
    q = options.pop("q", None)
    found = query_range(session, Question(window, "m", step_ns=step_s * SECOND, **options), aggregate, q)
    groups = {
        tuple(series["by"].values()): {entry["t"] - T0: entry["value"] for entry in series["points"]}
        for series in found["series"]
    }
    return groups, found["notes"]


def values(session, aggregate, **options):
    """Return the points of the one group of a query without notes."""
    groups, notes = ask(session, aggregate, **options)
    assert notes == []
    return groups.get((), {})
