-- Whether a bucket of an exponential histogram has fallen; one with another zero threshold may have moved some there.
n < prev_n OR (threshold = prev_threshold AND (zeros < prev_zeros OR CASE WHEN is_same THEN
    coalesce(list_bool_or(list_transform(list_zip(positive_counts, prev_positive_counts), lambda p: p[1] < p[2])), false)
    OR coalesce(
        list_bool_or(list_transform(list_zip(negative_counts, prev_negative_counts), lambda p: p[1] < p[2])), false)
ELSE
    coalesce(list_bool_or(list_transform(list_zip(positive_now, positive_before), lambda p: p[1] < p[2])), false)
    OR coalesce(list_bool_or(list_transform(list_zip(negative_now, negative_before), lambda p: p[1] < p[2])), false)
    OR coalesce(list_sum(positive_then), 0) > coalesce(list_sum(positive_before), 0)
    OR coalesce(list_sum(negative_then), 0) > coalesce(list_sum(negative_before), 0)
END))
