#!/usr/bin/env bash
# DuckDB's `~`: in 1.5 it matches the whole text, in 2.0 it searches; the same query changes its answer with an upgrade.
#
# Guess:    `message ~ 'timeout'` is PostgreSQL's operator: true where the pattern is found anywhere.
# Instead:  in 1.5.6 it is regexp_full_match: false for 'connection timeout', and `!~` is true. In 2.0.0 it searches.
#           Neither says so; ~* does not exist in 1.5.6. SIMILAR TO matches the whole text in both, and patterns with .*
#           on both ends mean the same in both, except across line breaks: '.' does not match one.
# Versions: DuckDB 1.5.6 and 2.0.0.
# Matters:  this is how people search logs in SQL. An alert on `~` never fires in 1.5, and saved queries with `!~` lose
#           their rows in 2.0. Only regexp_matches() and regexp_full_match() say what they mean.
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
new = duckdb.__version__ == "2.0.0"
right = {
    "'connection timeout' ~ 'timeout'": new,
    "'connection timeout' !~ 'timeout'": not new,
    "'timeout' ~ 'timeout'": True,
    "'connection timeout' ~ '.*timeout.*'": True,
    "'connection' || chr(10) || 'timeout' ~ '.*timeout.*'": new,
    "'connection timeout' SIMILAR TO 'timeout'": False,
    "regexp_matches('connection timeout', 'timeout')": True,
    "regexp_full_match('connection timeout', 'timeout')": False,
}
print("DuckDB", duckdb.__version__)
for expression, expected in right.items():
    result = connection.execute(f"SELECT {expression}").fetchone()[0]
    print(f"  {expression:54} {result}")
    assert result is expected, "behaves differently now"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
