#!/usr/bin/env bash
# DuckDB's sum of integers: exact in SQL, a Decimal in Arrow, and a rounded DOUBLE once written to Parquet.
#
# Guess:    the sum of a BIGINT column is an integer, and a file written with COPY holds what the query returned.
# Instead:  it is a HUGEINT, which Parquet has no type for, so COPY writes DOUBLE in silence: 27021597764222979 becomes
#           27021597764222980. Arrow gets decimal128(38, 0), whose Python value is a Decimal that orjson refuses; COPY
#           to JSON is exact. count(*) and max() stay BIGINT.
# Versions: DuckDB 1.5.6 and 2.0.0, pyarrow 26.0.1, orjson 3.13.0.
# Matters:  rollups are sums that are written back. Byte counters and nanoseconds pass 2^53 quickly; after the first
#           rollup, rates are differences of rounded numbers. sum(x)::BIGINT keeps them, and raises if it does not fit.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check)
"${pip[@]}" pyarrow==26.0.1 orjson==3.13.0
for version in 1.5.6 2.0.0; do
    "${pip[@]}" --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

SUM = 3 * (2**53 + 1)
connection = duckdb.connect()
connection.execute(f"CREATE TABLE counter AS SELECT {2**53 + 1}::BIGINT AS v FROM range(3)")
connection.execute("CREATE VIEW rollup AS SELECT sum(v) AS s, sum(v)::BIGINT AS b, count(*) AS n, max(v) AS m FROM counter")
print("DuckDB", duckdb.__version__)

[(kind, value)] = connection.execute("SELECT typeof(s), s FROM rollup").fetchall()
print(f"  in SQL       {kind:20} {value}")
assert (kind, value) == ("HUGEINT", SUM)

arrow = connection.sql("FROM rollup").to_arrow_table()
value = arrow["s"][0].as_py()
print(f"  in Arrow     {arrow.schema.field('s').type!s:20} {value!r}")
assert arrow.schema.field("s").type == pa.decimal128(38, 0) and value == SUM
try:
    orjson.dumps(value)
except TypeError as error:
    print(f"               orjson: {error}")
else:
    raise AssertionError("orjson takes it now")

connection.execute("COPY (FROM rollup) TO 'rollup.parquet'")
parquet = pq.read_table("rollup.parquet")
value = parquet["s"][0].as_py()
print(f"  in Parquet   {parquet.schema.field('s').type!s:20} {int(value)}, off by {int(value) - SUM}")
assert parquet.schema.field("s").type == pa.float64() and int(value) != SUM, "the sum is written exactly now"
assert parquet["b"][0].as_py() == SUM and parquet["m"][0].as_py() == 2**53 + 1

connection.execute("COPY (SELECT s FROM rollup) TO 'rollup.json'")
with open("rollup.json") as file:
    text = file.read().strip()
print(f"  in JSON      {text}")
assert text == f'{{"s":{SUM}}}'
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
