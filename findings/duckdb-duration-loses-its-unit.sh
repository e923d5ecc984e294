#!/usr/bin/env bash
# A duration that Arrow, pandas and Polars agree on is one thing to DuckDB from memory and another from Parquet.
#
# Guess:    a column of Arrow's duration type means the same in DuckDB however it gets there, as with timestamps.
# Instead:  from a table in memory it is an INTERVAL, which counts microseconds: 999 ns are 0, and 1,500 ns are 1 us, without
#           a warning. From the Parquet file that pyarrow wrote of the same table it is a BIGINT, whole but without its
#           unit: 5 s, 5 ms and 5 us are all 5. (Parquet has no type for durations; pyarrow keeps it in the Arrow schema
#           in the footer, which pyarrow, pandas and Polars read and DuckDB does not.)
# Versions: DuckDB 1.5.6 and 2.0.1, pyarrow 26.0.1, Polars 2.1.0.
# Matters:  a span's duration is the first column that somebody would give this type. The same query over both gives
#           0 or 999, and the sum of files with two units is a number. A BIGINT whose name tells the unit
#           (duration_ns) is the same everywhere.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0
for version in 1.5.6 2.0.1; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb
import polars
import pyarrow
from pyarrow import parquet

connection = duckdb.connect()
print("DuckDB", duckdb.__version__)


def asked(source):
    """Type and value that DuckDB sees."""
    rows = connection.execute(f"SELECT typeof(took), took::VARCHAR FROM {source}").fetchall()
    print(f"  {source:16} {rows}")
    return rows


took = pyarrow.table({"took": pyarrow.array([999, 1_500], pyarrow.duration("ns"))})
parquet.write_table(took, "took.parquet")
connection.register("in_memory", took)
assert asked("in_memory") == [("INTERVAL", "00:00:00"), ("INTERVAL", "00:00:00.000001")], "nanoseconds are kept now"
assert asked("'took.parquet'") == [("BIGINT", "999"), ("BIGINT", "1500")], "it is a duration now"
assert polars.read_parquet("took.parquet").schema["took"] == polars.Duration("ns")
assert parquet.read_table("took.parquet").schema == took.schema
for unit in ("s", "ms", "us"):
    parquet.write_table(pyarrow.table({"took": pyarrow.array([5], pyarrow.duration(unit))}), f"{unit}.parquet")
    assert asked(f"'{unit}.parquet'") == [("BIGINT", "5")], "the unit counts now"
EOF
for version in 1.5.6 2.0.1; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
