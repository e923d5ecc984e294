-- Each exponential histogram and the one before it. Where their buckets are at different places or scales: at the
-- smaller of their scales, the earlier one's buckets at the later one's places.
(
    SELECT *, {positive_aligned} AS positive_before, {negative_aligned} AS negative_before
    FROM (
        SELECT *, {positive_now} AS positive_now, {positive_then} AS positive_then,
            {negative_now} AS negative_now, {negative_then} AS negative_then,
            floor(positive_offset / 2.0 ** (scale - shared_scale))::BIGINT AS positive_place,
            floor(prev_positive_offset / 2.0 ** (prev_scale - shared_scale))::BIGINT AS positive_then_place,
            floor(negative_offset / 2.0 ** (scale - shared_scale))::BIGINT AS negative_place,
            floor(prev_negative_offset / 2.0 ** (prev_scale - shared_scale))::BIGINT AS negative_then_place
        FROM (
            SELECT *, least(scale, prev_scale) AS shared_scale, coalesce(
                scale = prev_scale AND positive_offset = prev_positive_offset
                AND len(positive_counts) IS NOT DISTINCT FROM len(prev_positive_counts)
                AND negative_offset = prev_negative_offset
                AND len(negative_counts) IS NOT DISTINCT FROM len(prev_negative_counts), false) AS is_same
            FROM {runs}
        )
    )
)
