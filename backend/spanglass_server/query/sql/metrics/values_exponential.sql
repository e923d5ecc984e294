-- A factor moves the buckets by whole ones, the nearest: log2(factor) * 2^scale of them.
scale, coalesce(zero_count, 0) AS zeros, coalesce(zero_threshold, 0) * {factor} AS threshold,
coalesce(positive_offset, 0) + {moved} AS positive_offset, positive_counts,
coalesce(negative_offset, 0) + {moved} AS negative_offset, negative_counts
