#!/usr/bin/env bash
# DuckDB 1.5: a column of nanoseconds loses them as soon as it has a time zone.
#
# Guess:    timestamp[ns, UTC] and timestamp[ns] are read with the same precision, from Arrow and from Parquet.
# Instead:  without a zone it is TIMESTAMP_NS, with one it is TIMESTAMP WITH TIME ZONE, in microseconds: the last three
#           digits are cut off on reading, and distinct times become equal. No error, no warning. 2.0.0 has a type for
#           it and keeps them.
# Versions: DuckDB 1.5.6 and 2.0.0, pyarrow 26.0.1.
# Matters:  marking times as UTC is good practice and looks harmless. Two log records of one microsecond lose their
#           order, and a cursor of the form "after time t" made from the read value finds its own record again.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check)
"${pip[@]}" pyarrow==26.0.1
for version in 1.5.6 2.0.0; do
    "${pip[@]}" --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

times = [1795000000123456001, 1795000000123456789]
table = pa.table({"plain": pa.array(times, pa.timestamp("ns")), "utc": pa.array(times, pa.timestamp("ns", "UTC"))})
pq.write_table(table, "times.parquet")
keeps = duckdb.__version__ == "2.0.0"
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.register("arrow", table)
print("DuckDB", duckdb.__version__)
for place in ("arrow", "'times.parquet'"):
    for column in ("plain", "utc"):
        query = f"SELECT any_value(typeof({column})), count(DISTINCT {column}), max(epoch_ns({column})) FROM {place}"
        [(kind, distinct, latest)] = connection.execute(query).fetchall()
        print(f"  {column:6} of {place:16} {kind:25} {distinct} distinct of 2, latest {latest}")
        exact = keeps or column == "plain"
        assert distinct == (2 if exact else 1), "behaves differently now"
        assert latest == (times[1] if exact else times[1] // 1000 * 1000), "behaves differently now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
