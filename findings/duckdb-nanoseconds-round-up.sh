#!/usr/bin/env bash
# DuckDB's TIMESTAMP_NS: one function call, and an event of 23:59:59.9999999 belongs to the next day.
#
# Guess:    date_trunc, time_bucket and `+ INTERVAL` of a TIMESTAMP_NS work on nanoseconds; at worst they cut digits
#           off, so that the start of a bucket is never after the event.
# Instead:  there are no such functions for TIMESTAMP_NS. It is cast to TIMESTAMP (microseconds) without a word, and
#           what the cast does has changed: 1.5.6 cuts off, 2.0.0 rounds. There, the last half microsecond of a day is
#           truncated to the next day, hour() is 0 instead of 23, and `t + INTERVAL 0 SECOND > t`. strftime still says
#           today. In both, epoch_ns(t + INTERVAL 0 SECOND) is not epoch_ns(t).
# Versions: DuckDB 1.5.6 and 2.0.0.
# Matters:  OTLP's times are nanoseconds. Windows computed in SQL lose or double what lies at their edge, a record is
#           counted in a bucket after its own time, and an upgrade moves it from one to the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for version in 1.5.6 2.0.0; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb

EVENT = "'2026-11-29 23:59:59.9999999'::TIMESTAMP_NS"
connection = duckdb.connect()
rounds = duckdb.__version__ == "2.0.0"
cut, up = "2026-11-29 23:59:59.999999", "2026-11-30 00:00:00"
expected = {
    f"{EVENT}": "2026-11-29 23:59:59.9999999",
    f"{EVENT} + INTERVAL 0 SECOND": up if rounds else cut,
    f"{EVENT} + INTERVAL 0 SECOND > {EVENT}": "true" if rounds else "false",
    f"date_trunc('day', {EVENT})": up if rounds else "2026-11-29 00:00:00",
    f"date_trunc('second', {EVENT})": up if rounds else "2026-11-29 23:59:59",
    f"time_bucket(INTERVAL 1 MINUTE, {EVENT})": up if rounds else "2026-11-29 23:59:00",
    f"hour({EVENT})": "0" if rounds else "23",
    f"strftime({EVENT}, '%Y-%m-%d')": "2026-11-29",
    f"epoch_ns({EVENT}) - epoch_ns({EVENT} + INTERVAL 0 SECOND)": "-100" if rounds else "900",
}
print(f"DuckDB {duckdb.__version__}, t = {EVENT}:")
for expression, right in expected.items():
    value = connection.execute(f"SELECT ({expression})::VARCHAR").fetchone()[0]
    print(f"  {expression.replace(EVENT, 't'):45} {value}")
    assert value == right, "behaves differently now"
kind = connection.execute(f"SELECT typeof({EVENT} + INTERVAL 0 SECOND)").fetchone()[0]
assert kind == "TIMESTAMP", "nanoseconds stay nanoseconds now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
