#!/usr/bin/env bash
# DuckDB and a time with an offset: the same text is a different instant by type and by version.
#
# Guess:    '2026-11-29 02:00:00+02:00' cast to a timestamp without time zone is 00:00 UTC, whatever the precision; or
#           the offset is ignored, whatever the precision; or it is refused.
# Instead:  in 1.5.6 TIMESTAMP, TIMESTAMP_S and TIMESTAMP_MS drop the offset in silence (02:00), and TIMESTAMP_NS
#           applies it (00:00). In 2.0.0 TIMESTAMP_NS drops it too: the same cast is two hours later after an upgrade.
#           The text without an offset compared with the text with one is equal or not by that. Only TIMESTAMPTZ applies
#           it in all.
# Versions: DuckDB 1.5.6 and 2.0.0.
# Matters:  ISO times with an offset are what users type and what log bodies contain. A filter on them is off by the
#           offset, without an error, and only for users outside UTC. Go through TIMESTAMPTZ, always.
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

TEXT = "'2026-11-29 02:00:00+02:00'"
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
applied = {"TIMESTAMPTZ", "TIMESTAMP_NS"} if duckdb.__version__ == "1.5.6" else {"TIMESTAMPTZ"}
print(f"DuckDB {duckdb.__version__}, {TEXT}:")
for kind in ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMPTZ"):
    value = connection.execute(f"SELECT strftime({TEXT}::{kind}, '%H:%M')").fetchone()[0]
    print(f"  ::{kind:13} {value} UTC")
    assert value == ("00:00" if kind in applied else "02:00"), "the offset is treated differently now"
equal = connection.execute(f"SELECT {TEXT}::TIMESTAMP = {TEXT}::TIMESTAMP_NS").fetchone()[0]
print(f"  ::TIMESTAMP = ::TIMESTAMP_NS is {equal}")
assert equal is ("TIMESTAMP_NS" not in applied)
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
