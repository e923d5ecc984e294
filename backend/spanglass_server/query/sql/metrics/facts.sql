count(*) FILTER (is_last AND share IS NOT NULL) AS n_points, count(*) FILTER (is_last AND is_reset) AS resets,
count(*) FILTER (is_last AND is_overlap) AS overlapping,
count(*) FILTER (is_last AND is_incomparable) AS incomparable
