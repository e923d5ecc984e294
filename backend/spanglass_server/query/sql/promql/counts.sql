-- Records of a part by labels, step of time (the one that ends with or after the record) and bucket of their duration.
SELECT {labels}, ({time} + {step_ns} - 1) // {step_ns} AS step, {bucket} AS bucket, {values}
FROM {relation}
WHERE {where}
GROUP BY ALL
