#!/usr/bin/env bash
# DuckDB reading Parquet files whose types differ: the first file in the list decides, and values change in silence.
#
# Guess:    a column that is BIGINT in one file and DOUBLE in another becomes DOUBLE, or is refused; with union_by_name
#           types are reconciled without loss, or it is an error.
# Instead:  without union_by_name the first file's type is taken. [integers, doubles]: 0.5 is read as 0 and 1.5 as 2;
#           the other order keeps them. With union_by_name the column becomes DOUBLE, and integers above 2^53 are
#           changed: 9007199254740993 is read as ...992. A condition with either number finds the row in 2.0.0, and
#           nothing in 1.5.6.
# Versions: DuckDB 1.5.6 and 2.0.0, files by pyarrow 26.0.1.
# Matters:  the type of an attribute changes with a deployment (5 becomes 5.0), so new files differ from old ones.
#           Durations below one become 0, 64-bit ids turn into their neighbours, by the order in which files are listed.
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

BIG = 2**53 + 1
pq.write_table(pa.table({"v": pa.array([BIG, 2], pa.int64())}), "integers.parquet")
pq.write_table(pa.table({"v": [0.5, 1.5]}), "doubles.parquet")
connection = duckdb.connect()


def read(files, by_name, where="true"):
    """Type and values of the column."""
    source = f"read_parquet({files}, union_by_name = {by_name})"
    rows = connection.execute(f"SELECT typeof(v), v::VARCHAR FROM {source} WHERE {where} ORDER BY ALL").fetchall()
    return ({kind for kind, _ in rows}, [value for _, value in rows])


integers_first, doubles_first = ["integers.parquet", "doubles.parquet"], ["doubles.parquet", "integers.parquet"]
print(f"DuckDB {duckdb.__version__}; files with {BIG}, 2 and with 0.5, 1.5")
result = read(integers_first, False)
print("  integers first:           ", *result)
assert result == ({"BIGINT"}, ["0", "2", "2", str(BIG)]), "the first file does not decide now"
result = read(doubles_first, False)
print("  doubles first:            ", *result)
assert result == ({"DOUBLE"}, ["0.5", "1.5", "2.0", "9007199254740992.0"])
for files in (integers_first, doubles_first):
    result = read(files, True)
    print("  by name:                  ", *result)
    assert result == ({"DOUBLE"}, ["0.5", "1.5", "2.0", "9007199254740992.0"]), "integers are kept now"
for number in (BIG, BIG - 1):
    found = len(read(integers_first, True, f"v = {number}")[1])
    print(f"  by name, v = {number}: {found} row(s)")
    assert found == (0 if duckdb.__version__ == "1.5.6" else 1), "found differently now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
