"""Increases of sums and histograms between points, by the data model's rules, spread over the steps they cover.

- A delta point is its own increase over (start, time]. One that begins before the end of an earlier point of its
  series overlaps it and is dropped.
- A cumulative point adds its difference to the point before, over the time between. Points with another start time
  are another run of the process: the first of a run counts from zero when the run began inside what is read, and
  nothing when its true start is unknown (start = time, or none) or earlier. A value that fell is a reset as well.
- Nothing is known about the time between two far points: their increase belongs to the step of the later one, and
  steps between stay empty.

(opentelemetry.io/docs/specs/otel/metrics/data-model: "Sums", "Resets and gaps", "Overlap".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.metrics.points import Sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

#: How far back the point before the window is looked for, and how far apart two points may be without a gap.
GAP_NS = 300_000_000_000

#: Keys of delta points that overlap others: told apart by place, so that of equal ones all but the first can go.
_DELTA_KEY = "hash(series, start_ns, time_ns, row_number() OVER (PARTITION BY series, start_ns, time_ns))"


def pieces(
    chosen: Sql,
    window: Window,
    buckets: Buckets,
    *,
    measures: Sequence[str],
    dropped: Sequence[int] = (),
    comparable: str = "true",
) -> Sql:
    """Turn points into pieces of increases, one for each step that an increase covers.

    ``chosen`` selects the points with ``measures`` as value columns, of which the first tells resets. Rows have
    ``step`` (its start in ns), ``share`` (of the increase in this step), ``paced`` (the same, as it counts for
    rates), ``from_ns`` and ``to_ns`` (the piece's time), ``is_last``, ``is_reset``, ``is_overlap``, ``mode``
    (``diff``: subtract the previous values; ``whole``: take the values as they are), all columns of the points, and
    ``prev_<measure>`` of each. Points that are not ``comparable`` to the one before them count for nothing.
    """
    first, step_ns, gap_ns = measures[0], buckets.step_ns, max(GAP_NS, buckets.step_ns)
    lags = ", ".join(f"lag({name}) OVER run AS prev_{name}" for name in measures)
    text = f"""
    WITH points AS (SELECT * FROM ({chosen.text})),
    runs AS (
        SELECT *, lag(time_ns) OVER run AS prev_time_ns, {lags},
            min(start_ns) OVER (PARTITION BY series) AS first_start_ns
        FROM {_kept(dropped)}
        WINDOW run AS (PARTITION BY series, CASE WHEN is_delta THEN 0 ELSE start_ns END ORDER BY time_ns, start_ns)
    ),
    judged AS (
        SELECT *, CASE
            WHEN is_delta AND start_ns > 0 AND start_ns < prev_time_ns THEN 'overlap'
            WHEN is_delta THEN 'whole'
            WHEN prev_time_ns IS NULL AND start_ns >= ? AND start_ns < time_ns AND start_ns > 0 THEN 'first'
            WHEN prev_time_ns IS NULL OR prev_time_ns = time_ns THEN 'unknown'
            WHEN {first} < prev_{first} THEN 'reset'
            WHEN NOT ({comparable}) THEN 'unknown'
            ELSE 'diff' END AS judgement
        FROM runs
    ),
    increases AS (
        SELECT *, CASE WHEN judgement = 'diff' THEN 'diff' ELSE 'whole' END AS mode,
            judgement = 'reset' OR (NOT coalesce(is_delta, false) AND prev_time_ns IS NULL
                AND start_ns > first_start_ns) AS is_reset,
            judgement = 'overlap' AS is_overlap,
            time_ns AS until_ns,
            least(time_ns - 1, CASE
                WHEN judgement IN ('first', 'whole') AND start_ns > 0 THEN start_ns
                WHEN time_ns - prev_time_ns <= {gap_ns} OR judgement <> 'whole' THEN prev_time_ns
                ELSE time_ns - 1 END) AS since_ns
        FROM judged
    ),
    placed AS (
        SELECT *, (until_ns - 1) // {step_ns} AS last_step, CASE
            WHEN until_ns - since_ns > {gap_ns} THEN (until_ns - 1) // {step_ns}
            ELSE since_ns // {step_ns} END AS first_step
        FROM (SELECT * REPLACE (coalesce(since_ns, time_ns - 1) AS since_ns) FROM increases)
        WHERE judgement <> 'unknown' OR is_reset
    ),
    stepped AS (SELECT *, unnest(range(first_step, last_step + 1)) * {step_ns} AS step FROM placed),
    cut AS (
        SELECT *, greatest(since_ns, step) AS from_ns, least(until_ns, step + {step_ns}) AS to_ns,
            step = last_step * {step_ns} AS is_last
        FROM stepped WHERE step >= ? AND step < ?
    ),
    pieces AS (
        SELECT *,
            CASE WHEN judgement IN ('overlap', 'unknown') THEN NULL
                WHEN first_step = last_step THEN 1 ELSE (to_ns - from_ns) / (until_ns - since_ns) END AS share,
            CASE WHEN judgement IN ('overlap', 'unknown') THEN NULL
                ELSE (to_ns - from_ns) / (until_ns - since_ns) END AS paced
        FROM cut
    )
    """  # noqa: S608 - made of integers of ours and expressions that bind their values
    parameters = [*chosen.parameters, *([list(dropped)] if dropped else [])]
    end_ns = buckets.first_ns + buckets.count * step_ns
    return Sql(text, [*parameters, looked_from(window, buckets), buckets.first_ns, end_ns], chosen.columns)


def margin(buckets: Buckets) -> int:
    """Give the time before the window in which the first increase may begin, in nanoseconds."""
    return max(GAP_NS, buckets.step_ns)


def looked_from(window: Window, buckets: Buckets) -> int:
    """Give the time of the earliest point that is read."""
    return window.start_ns - margin(buckets)


def increase(measure: str, weight: str = "share") -> str:
    """Write the increase of one measure in a piece."""
    return f"(CASE WHEN mode = 'diff' THEN {measure} - prev_{measure} ELSE {measure} END) * {weight}"


def _kept(dropped: Sequence[int]) -> str:
    if not dropped:
        return "points"
    return f"(SELECT * FROM points QUALIFY NOT list_contains(?::UBIGINT[], {_DELTA_KEY}))"  # noqa: S608


def overlapping_deltas(session: QuerySession, chosen: Sql) -> list[int]:
    """Find the delta points to drop so that none overlap: of each series, keep every point that ends first.

    Which points fall depends on which were kept before, so this runs over rows; only series with an overlap are read.
    """
    rows = session.rows(
        f"""
        WITH points AS (SELECT series, start_ns, time_ns FROM ({chosen.text}) WHERE is_delta AND start_ns > 0),
        keyed AS (SELECT *, {_DELTA_KEY} AS key FROM points),
        lagged AS (SELECT *, lag(time_ns) OVER (PARTITION BY series ORDER BY time_ns, start_ns) AS prev_ns FROM keyed)
        SELECT series, start_ns, time_ns, key FROM keyed
        WHERE series IN (SELECT series FROM lagged WHERE start_ns < prev_ns)
        ORDER BY series, time_ns, start_ns
        """,  # noqa: S608 - made of the points' SQL
        chosen.parameters,
    )
    dropped, series, end_ns = [], None, 0
    for row in rows:
        if row["series"] != series:
            series, end_ns = row["series"], 0
        if row["start_ns"] < end_ns:
            dropped.append(row["key"])
        else:
            end_ns = row["time_ns"]
    return dropped
