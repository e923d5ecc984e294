#!/usr/bin/env bash
# pyarrow: Table.from_pylist drops every key that the first record lacks; pa.array of the same records keeps them.
#
# Guess:    the columns are the keys of all records, missing ones are null, or a key that has no column is an error.
# Instead:  the first record alone decides. Later keys are dropped without a word, so the result depends on which record
#           comes first. pa.array(records), which makes a struct of them, has the keys of all; so has from_struct_array.
# Versions: pyarrow 26.0.1.
# Matters:  records of logs and spans have different attributes by nature. A table made of a batch loses those that the
#           first does not happen to have; tests with uniform records pass.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1

cat > try.py <<'EOF'
import pyarrow as pa

records = [{"name": "GET /"}, {"name": "POST /pay", "http.status_code": 500, "error": True}, {"level": "warn"}]
print(f"pyarrow {pa.__version__}, {len(records)} records with the keys", *({key: 0 for each in records for key in each}))
for what, table, right in (
    ("from_pylist", pa.Table.from_pylist(records), ["name"]),
    ("from_pylist, reversed", pa.Table.from_pylist(records[::-1]), ["level"]),
    (
        "from_struct_array(array(...))",
        pa.Table.from_struct_array(pa.array(records)),
        ["error", "http.status_code", "level", "name"],
    ),
):
    print(f"  {what:30} {table.num_rows} rows, columns {table.column_names}")
    assert table.num_rows == 3 and sorted(table.column_names) == right, "behaves differently now"
EOF
venv/bin/python try.py
echo "As described."
