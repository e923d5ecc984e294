-- Buckets that begin at one place, as a list of those of another list that begins at another place.
CASE WHEN {own_counts} IS NOT NULL AND {counts} IS NOT NULL THEN list_resize(
    list_concat(list_resize([]::UBIGINT[], greatest({place} - {own_place}, 0), 0::UBIGINT),
        {counts}[greatest({own_place} - {place}, 0) + 1 :]),
    len({own_counts}), 0::UBIGINT) END
