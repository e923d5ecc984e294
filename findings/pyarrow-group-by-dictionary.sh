#!/usr/bin/env bash
# pyarrow's group_by on a dictionary column: change the dictionary instead of the rows, and one group becomes several.
#
# Guess:    values of a dictionary-encoded column are compared by value, so that mapping the few dictionary entries
#           (lower case, unknown to null) is the cheap way to map all rows.
# Instead:  group_by, unique and value_counts work on indices: entries that have become equal stay separate groups of
#           the same name, and a null in the dictionary is a group beside the null of the index. is_null sees it,
#           null_count leaves it out, drop_null keeps it, and Parquet refuses to write it. Comparing (== "error") is by
#           value. DuckDB, given the same table, groups rightly.
# Versions: pyarrow 26.0.1, DuckDB 1.5.6 for comparison. Arrow's format allows such dictionaries.
# Matters:  severities and service names are dictionary columns, and normalising them through the dictionary is the
#           obvious optimisation. Counts come out split, with equal labels, and which code sees it is chance.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1 duckdb==1.5.6

cat > try.py <<'EOF'
import io

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sent = pa.array(["Error", "ERROR", "Error", "n/a", None]).dictionary_encode()
lower = pc.utf8_lower(sent.dictionary)
entries = pc.if_else(pc.equal(lower, "n/a"), pa.scalar(None, pa.string()), lower)
severity = pa.DictionaryArray.from_arrays(sent.indices, entries)
severity.validate(full=True)
table = pa.table({"severity": severity, "row": range(5)})
plain = pa.table({"severity": severity.cast(pa.string()), "row": range(5)})


def groups(table):
    """Names with their counts, in order."""
    found = table.group_by("severity").aggregate([("row", "count")]).to_pylist()
    return sorted(((each["severity"], each["row_count"]) for each in found), key=str)


print(f"pyarrow {pa.__version__}: {sent.to_pylist()} with its dictionary mapped to {entries.to_pylist()}")
by_index, by_value = groups(table), groups(plain)
duckdb.register("severities", table)
by_duckdb = sorted(duckdb.sql("SELECT severity, count(*) FROM severities GROUP BY 1").fetchall(), key=str)
nulls = (severity.null_count, sum(pc.is_null(severity).to_pylist()), table.num_rows - table.drop_null().num_rows)
print("  group_by:                      ", by_index)
print("  group_by, cast to text first:  ", by_value)
print("  DuckDB:                        ", by_duckdb)
print("  == 'error':                    ", pc.equal(severity, "error").to_pylist())
print("  null_count, is_null, drop_null:", nulls, "of 2 values that read as None")
assert by_index == [("error", 1), ("error", 2), (None, 1), (None, 1)], "groups by value now"
assert by_value == by_duckdb == [("error", 3), (None, 2)]
assert pc.equal(severity, "error").to_pylist() == [True, True, True, None, None]
assert nulls == (1, 2, 1), "nulls of the dictionary count now"
try:
    pq.write_table(table, io.BytesIO())
except pa.ArrowNotImplementedError as error:
    print("  Parquet:                       ", error)
else:
    raise AssertionError("Parquet takes it now")
EOF
venv/bin/python try.py
echo "As described."
