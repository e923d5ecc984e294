-- Whether a bucket of an explicit histogram has fallen.
n < prev_n OR ({is_same} AND coalesce(
    list_bool_or(list_transform(list_zip(counts, prev_counts), lambda pair: pair[1] < pair[2])), false))
