#!/usr/bin/env bash
# DuckDB's hash() of a list: zeros at its beginning count for nothing.
#
# Guess:    hash() of lists of different length differs, but for chance: one in 2^64.
# Instead:  hash(0) is 0, and the hash of a list is folded from its items alone, so a list and the same list with any
#           number of zeros in front have one hash, as integers and as doubles. Zeros elsewhere count, and so do nulls.
#           GROUP BY and DISTINCT over the lists themselves are right: they compare what has equal hashes.
# Versions: DuckDB 1.5.6 and 2.0.0.
# Matters:  bounds of histograms begin with 0 or do not (OpenTelemetry's defaults for milliseconds do, those that its
#           conventions advise for seconds do not). Grouped by hash(bounds), as one does to spare comparing lists, the
#           buckets of both are added one beside its place. hash(len(list), list) tells them apart.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for version in 1.5.6 2.0.0; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb

connection = duckdb.connect()


def same(one, other, kind):
    """Whether two lists have one hash, and whether DISTINCT takes them for one."""
    hashes = connection.execute(f"SELECT hash({one}::{kind}[]) = hash({other}::{kind}[])").fetchone()[0]
    lists = connection.execute(
        f"SELECT count(DISTINCT l) FROM (VALUES ({one}::{kind}[]), ({other}::{kind}[])) t (l)"
    ).fetchone()[0]
    return hashes, lists


print(f"DuckDB {duckdb.__version__}, hash(0) = {connection.execute('SELECT hash(0)').fetchone()[0]}")
for one, other, kind, expected in (
    ("[0, 5, 10]", "[5, 10]", "DOUBLE", True),
    ("[0, 0, 0, 5]", "[5]", "BIGINT", True),
    ("[5, 0]", "[5]", "DOUBLE", False),
    ("[NULL, 5]", "[5]", "DOUBLE", False),
):
    hashes, lists = same(one, other, kind)
    print(f"  {one} and {other} of {kind}: {'one hash' if hashes else 'two hashes'}, {lists} distinct lists")
    assert (hashes, lists) == (expected, 2), "hashed differently now"
told = connection.execute("SELECT hash(len(a), a) = hash(len(b), b) FROM (SELECT [0, 5] AS a, [5] AS b)").fetchone()[0]
print(f"  with the length in front: {'one hash' if told else 'two hashes'}")
assert not told
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
