#!/usr/bin/env bash
# DuckDB and a MAP with a repeated key: one row makes the column unreadable, but not countable, filterable or storable.
#
# Guess:    a Parquet map with a key twice is refused when it is read, or read with the last value, everywhere alike.
# Instead:  reading depends on what is asked. m['k'], cardinality(m), conditions, CREATE TABLE AS and to_json(m) work,
#           with the first value or with both; the second value is found by no condition. SELECT m, fetched as Python
#           values, raises "Map keys must be unique" for the whole result, sound rows included. The same data from an
#           Arrow table is refused at once, even for count(m).
# Versions: DuckDB 1.5.6 and 2.0.0, file by pyarrow 26.0.1, which writes such maps without complaint.
# Matters:  attributes are lists of key and value in OTLP, and senders do repeat keys. Stored as a MAP, one such record
#           breaks every answer that contains it, long after it was accepted; a table made from it passes all checks.
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

maps = pa.array([[("k", 1), ("k", 2)], [("z", 0)], [("k", 5)]], pa.map_(pa.string(), pa.int64()))
table = pa.table({"i": range(3), "m": maps})
pq.write_table(table, "maps.parquet")
REFUSED = "Map keys must be unique"
right = {
    "SELECT count(m) FROM 'maps.parquet'": [(3,)],
    "SELECT m['k'] FROM 'maps.parquet'": [(1,), (None,), (5,)],
    "SELECT cardinality(m) FROM 'maps.parquet'": [(2,), (1,), (1,)],
    "SELECT i FROM 'maps.parquet' WHERE m['k'] = 1": [(0,)],
    "SELECT i FROM 'maps.parquet' WHERE m['k'] = 2": [],
    "SELECT to_json(m)::VARCHAR FROM 'maps.parquet' LIMIT 1": [('{"k":1,"k":2}',)],
    "SELECT m FROM 'maps.parquet' WHERE i > 0": [({"z": 0},), ({"k": 5},)],
    "SELECT m FROM 'maps.parquet'": REFUSED,
    "CREATE TABLE copied AS SELECT * FROM 'maps.parquet'": [(3,)],
    "SELECT count(*) FROM copied WHERE m['k'] > 0": [(2,)],
    "SELECT m FROM copied": REFUSED,
}
connection = duckdb.connect()


def answer(connection, query):
    """The rows, or the error."""
    try:
        return connection.execute(query).fetchall()
    except duckdb.Error as error:
        return str(error)


print("DuckDB", duckdb.__version__)
for query, rows in right.items():
    result = answer(connection, query)
    print(f"  {query:56} {result}")
    assert rows in result if rows is REFUSED else rows == result, "behaves differently now"
separate = duckdb.connect()
separate.register("arrow", table)
result = answer(separate, "SELECT count(m) FROM arrow")
print(f"  {'SELECT count(m), from Arrow':56} {result}")
assert "duplicate key" in result, "Arrow's maps are read now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
