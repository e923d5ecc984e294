#!/usr/bin/env bash
# pyarrow's binary_join_element_wise with null_handling="skip": a row whose values are all null is gone from the result.
#
# Guess:    an element-wise function gives a value for each row; a row of which every value is skipped is the empty text.
# Instead:  such rows are left out, and the result is shorter than the columns: everything behind stands at the wrong
#           row. The other ways of handling nulls (emit_null, replace) keep the length.
# Versions: pyarrow 26.0.1.
# Matters:  label sets become text column by column, absent labels null; a series without any label shifted the labels
#           of all series after it onto others. Nothing is raised until lengths are compared.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1

cat > try.py <<'EOF'
import pyarrow as pa
import pyarrow.compute as pc

one, other = pa.array(["a", None, "c"]), pa.array(["x", None, None])
found = {how: pc.binary_join_element_wise(one, other, ",", null_handling=how) for how in ("skip", "emit_null", "replace")}
print(f"pyarrow {pa.__version__}: {one.to_pylist()} joined with {other.to_pylist()}")
for how, joined in found.items():
    print(f"  {how:9} {joined.to_pylist()}")
assert found["skip"].to_pylist() == ["a,x", "c"], "the row of nulls is kept now"
assert found["emit_null"].to_pylist() == ["a,x", None, None]
assert len(found["replace"]) == 3
EOF
venv/bin/python try.py
echo "As described."
