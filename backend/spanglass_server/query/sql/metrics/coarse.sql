-- Exponential buckets at the scale shared_scale: 2^(scale - shared_scale) neighbours become one.
CASE WHEN is_same THEN NULL WHEN {scale} = shared_scale THEN {counts} ELSE list_transform(
    range(floor({place} / 2.0 ** ({scale} - shared_scale))::BIGINT,
        floor(({place} + len({counts}) - 1) / 2.0 ** ({scale} - shared_scale))::BIGINT + 1),
    lambda shared: list_sum({counts}[
        greatest(shared * (2.0 ** ({scale} - shared_scale))::BIGINT - {place} + 1, 1) :
        (shared + 1) * (2.0 ** ({scale} - shared_scale))::BIGINT - {place}])::UBIGINT
) END
