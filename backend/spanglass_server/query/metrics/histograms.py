"""SQL that merges the increases of histograms: their buckets for each group and step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.metrics.aggregates import FACTS, Question, Row, largest, without_overlaps
from spanglass_server.query.metrics.increase import margin, pieces
from spanglass_server.query.metrics.points import Sql, by_names

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXPLICIT = Sql(
    "count::DOUBLE AS n, bucket_counts AS counts, list_transform(explicit_bounds, lambda b: b * $factor) AS bounds, "
    "min * $factor AS low, max * $factor AS high",
    [],
    {"count", "bucket_counts", "explicit_bounds", "min", "max"},
)
#: A factor moves exponential buckets by whole buckets, the nearest: log2(factor) * 2^scale of them.
_MOVED = "round(log2($factor) * 2.0 ** scale)::BIGINT"
_EXPONENTIAL = Sql(
    "count::DOUBLE AS n, scale, coalesce(zero_count, 0)::DOUBLE AS zeros, "
    "coalesce(zero_threshold, 0) * $factor AS threshold, "
    f"coalesce(positive_offset, 0) + {_MOVED} AS positive_offset, positive_counts, "
    f"coalesce(negative_offset, 0) + {_MOVED} AS negative_offset, negative_counts, "
    "min * $factor AS low, max * $factor AS high",
    [],
    {
        *("count", "scale", "zero_count", "zero_threshold", "positive_offset", "positive_counts"),
        *("negative_offset", "negative_counts", "min", "max"),
    },
)
_EXPONENTIAL_MEASURES = (
    *("n", "scale", "zeros", "threshold", "positive_offset", "positive_counts", "negative_offset", "negative_counts"),
)


def explicit_rows(question: Question) -> list[Row]:
    """Merge explicit histograms with equal bounds.

    Rows: groups, ``step``, ``bounds``, ``counts``, ``low``, ``high`` (of deltas), ``resets``, ``overlapping``.
    """
    by = by_names(question.by)
    chosen = question.points(_EXPLICIT, margin(question.buckets))

    def ask(dropped: Sequence[int]) -> list[Row]:
        found = pieces(
            chosen,
            question.window,
            question.buckets,
            measures=["n", "counts", "bounds"],
            dropped=dropped,
            comparable="bounds IS NOT DISTINCT FROM prev_bounds",
        )
        text = f"""
        {found.text},
        differences AS (
            SELECT * REPLACE (CASE WHEN mode = 'diff'
                THEN list_transform(list_zip(counts, prev_counts), lambda pair: greatest(pair[1]::DOUBLE - pair[2], 0))
                ELSE counts::DOUBLE[] END AS counts)
            FROM pieces
        ),
        facts AS (
            SELECT {by} step, bounds, min(low) FILTER (is_delta) AS low, max(high) FILTER (is_delta) AS high, {FACTS}
            FROM differences GROUP BY ALL
        ),
        exploded AS (
            SELECT {by} step, bounds, share, unnest(counts) AS observed, generate_subscripts(counts, 1) AS place
            FROM differences WHERE share IS NOT NULL
        ),
        summed AS (SELECT {by} step, bounds, place, sum(observed * share) AS observed FROM exploded GROUP BY ALL),
        merged AS (
            SELECT {by} step, bounds, list(observed ORDER BY place) AS counts, sum(observed) AS weight
            FROM summed GROUP BY ALL
        ),
        grouped AS (
            SELECT facts.*, counts, coalesce(weight, 0) AS weight FROM facts
            LEFT JOIN merged ON {_same(question.by)} AND facts.bounds IS NOT DISTINCT FROM merged.bounds
        )
        """  # noqa: S608 - made of SQL whose values are bound
        return largest(question, text, found.parameters)

    return without_overlaps(question, chosen, ask)


def _same(by: Sequence[str]) -> str:
    names = ["step", *(f"by_{index}" for index, _ in enumerate(by))]
    return " AND ".join(f"facts.{name} IS NOT DISTINCT FROM merged.{name}" for name in names)


def exponential_rows(question: Question) -> list[Row]:
    """Merge exponential histograms at the smallest scale of each group and step.

    Rows: groups, ``step``, ``scale``, ``threshold``, ``side`` (1 positive, 0 zero, -1 negative), ``place`` (the
    bucket's index), ``observed``, ``low``, ``high`` (of deltas), ``resets``, ``overlapping``. A cumulative increase is
    the later histogram's buckets less the earlier one's, each brought to the smaller scale: index // 2^difference.
    """
    by = by_names(question.by)
    chosen = question.points(_EXPONENTIAL, margin(question.buckets))

    def ask(dropped: Sequence[int]) -> list[Row]:
        found = pieces(chosen, question.window, question.buckets, measures=list(_EXPONENTIAL_MEASURES), dropped=dropped)
        sides = " UNION ALL ".join(
            f"SELECT {by} step, least_scale, own_scale AS scale, {side} AS side, weight, unnest({counts}) AS observed, "  # noqa: S608
            f"{offset} + generate_subscripts({counts}, 1) - 1 AS place FROM signed"
            for side, counts, offset in (
                (1, "positive_counts", "positive_offset"),
                (-1, "negative_counts", "negative_offset"),
                (0, "[zeros]", "0"),
            )
        )
        text = f"""
        {found.text},
        scaled AS (
            SELECT *, min(least(scale, CASE WHEN mode = 'diff' THEN prev_scale END))
                OVER (PARTITION BY {by} step) AS least_scale
            FROM pieces
        ),
        signed AS (
            SELECT {by} step, least_scale, scale AS own_scale, zeros, positive_offset, positive_counts, negative_offset,
                negative_counts, share AS weight FROM scaled WHERE share IS NOT NULL
            UNION ALL
            SELECT {by} step, least_scale, prev_scale, prev_zeros, prev_positive_offset, prev_positive_counts,
                prev_negative_offset, prev_negative_counts, -share FROM scaled WHERE mode = 'diff' AND share IS NOT NULL
        ),
        exploded AS ({sides}),
        merged AS (
            SELECT {by} step, least_scale AS scale, side,
                floor(place / 2.0 ** (scale - least_scale))::BIGINT AS place, sum(observed * weight) AS observed
            FROM exploded GROUP BY ALL
        ),
        facts AS (
            SELECT {by} step, max(threshold) AS threshold, min(low) FILTER (is_delta) AS low,
                max(high) FILTER (is_delta) AS high, {FACTS} FROM pieces GROUP BY ALL
        ),
        grouped AS (
            SELECT facts.*, scale, side, place, observed, abs(coalesce(observed, 0)) AS weight
            FROM facts LEFT JOIN merged ON {_same(question.by)}
        )
        """  # noqa: S608 - made of SQL whose values are bound
        return largest(question, text, found.parameters)

    return without_overlaps(question, chosen, ask)
