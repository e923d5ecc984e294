#!/usr/bin/env bash
# DuckDB on columns that differ only in case: the exact quoted name returns the other column's values.
#
# Guess:    quoted identifiers are exact, as in PostgreSQL; or such a file is refused; or the name is ambiguous and that
#           is an error.
# Instead:  of two columns "User.Id" and "user.id" of a Parquet file or an Arrow table, the second in the file's order
#           is renamed "user.id_1", and both spellings, quoted exactly, return the first. No error, no warning. JSON
#           objects and structs are treated the same, and a real column "user.id_1" is moved on to "user.id_1_1".
# Versions: DuckDB 1.5.6 and 2.0.0, file by pyarrow 26.0.1.
# Matters:  attribute keys are case-sensitive and come from many teams' code. With a column for each key, a filter on
#           one key answers with another key's values, and which of the two depends on the order in the file.
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

table = pa.table({"User.Id": ["first"], "user.id": ["second"], "user.id_1": ["third"]})
pq.write_table(table, "upper-first.parquet")
pq.write_table(table.select(["user.id", "User.Id"]), "lower-first.parquet")
with open("keys.json", "w") as file:
    file.write('{"User.Id": "first", "user.id": "second"}\n')
connection = duckdb.connect()
connection.register("arrow", table)


def ask(text):
    """Names and the first row of a query."""
    cursor = connection.execute(text)
    names = [column[0] for column in cursor.description]
    return names, cursor.fetchall()[0]


print("DuckDB", duckdb.__version__)
for place in ("'upper-first.parquet'", "arrow", "'keys.json'", "'lower-first.parquet'"):
    names, _ = ask(f"SELECT * FROM {place}")
    _, values = ask(f'SELECT "User.Id", "user.id" FROM {place}')
    print(f"  {place:24} has {names}; \"User.Id\", \"user.id\" are {values}")
    both = "second" if place == "'lower-first.parquet'" else "first"
    assert values == (both, both), "exact names are told apart now"
names, _ = ask("SELECT * FROM 'upper-first.parquet'")
assert names == ["User.Id", "user.id_1", "user.id_1_1"], "columns are renamed differently now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
