#!/usr/bin/env bash
# NaN in a Parquet file: the same filter finds different rows in the file than in the same table in memory.
#
# Guess:    each engine has a rule for NaN (DuckDB: equal to itself and above all numbers; Arrow: as IEEE 754 says), and
#           a file answers as the table that was written into it.
# Instead:  statistics of Parquet leave NaN out, and both engines conclude from minimum and maximum what NaN does not
#           obey. DuckDB loses rows that match (`x > 5`, `x = 'nan'`) and finds one that does not (`x <= 10`). 2.0.0
#           also finds none for isnan(x), which 1.5.6 still answered. pyarrow loses NaN rows for `not (x > 5)`, and from
#           a row group that is constant otherwise for `x != 6`.
# Versions: pyarrow 26.0.1 (writer, and its own filters), DuckDB 1.5.6 and 2.0.0.
# Matters:  gauges and ratios are NaN now and then. A threshold alert, or the search for the NaN itself, answers
#           differently before and after the flush from memory to a file.
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
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

low, high, constant = [1.0, 2.0, 3.0, float("nan")], [6.0, 7.0, float("nan")], [6.0, 6.0, float("nan")]

if sys.argv[1] == "duckdb":
    pq.write_table(pa.table({"x": low}), "low.parquet")
    connection = duckdb.connect()
    connection.execute("CREATE TABLE low AS SELECT * FROM 'low.parquet'")
    # condition: rows in the table, rows from the file in 1.5.6 and in 2.0.0
    right = {
        "x > 5": (1, 0, 0),
        "x = 'nan'": (1, 0, 0),
        "isnan(x)": (1, 1, 0),
        "x <= 10": (3, 4, 4),
        "x BETWEEN 2 AND 10": (2, 2, 3),
        "x <> 2": (3, 3, 3),
    }
    print(f"DuckDB {duckdb.__version__}, values {low}:")
    for condition, rows in right.items():
        counts = [
            connection.execute(f"SELECT count(*) FROM {place} WHERE {condition}").fetchone()[0]
            for place in ("low", "'low.parquet'")
        ]
        print(f"  {condition:20} {counts[0]} rows in a table, {counts[1]} in a file")
        assert counts == [rows[0], rows[1 if duckdb.__version__ == "1.5.6" else 2]], "behaves differently now"
else:
    x = pc.field("x")
    print(f"pyarrow {pa.__version__}:")
    for values, name, condition in ((high, "not (x > 5)", ~(x > 5)), (constant, "x != 6", x != 6)):
        table = pa.table({"x": values})
        pq.write_table(table, "values.parquet")
        in_memory = table.filter(condition).num_rows
        in_file = ds.dataset("values.parquet").to_table(filter=condition).num_rows
        print(f"  {name:20} {in_memory} rows in a table, {in_file} in a file; values {values}")
        assert (in_memory, in_file) == (1, 0), "behaves differently now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py duckdb
done
PYTHONPATH="duckdb-2.0.0" venv/bin/python try.py pyarrow
echo "As described."
