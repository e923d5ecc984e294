#!/usr/bin/env bash
# DuckDB's cache of Parquet footers: deleted files fill it, and its real size is a multiple of memory_limit.
#
# Guess:    parquet_metadata_cache is a cache: small, and in any case within memory_limit, which DuckDB counts.
# Instead:  the footer of every file ever read stays, also when the file is deleted and its name never comes back, until
#           the counted bytes reach memory_limit. What is counted is a fraction of what a footer takes: with a limit of
#           64 MB and wide files (60 columns, 10 row groups) the process grows by some 300 MB. Turning the setting off
#           again frees nothing by itself; without the setting the process stays small.
# Versions: DuckDB 1.5.5 and 2.0.0, files by pyarrow 26.0.1.
# Matters:  a store that flushes and merges small files all day replaces thousands of them. Its memory then grows for
#           days, to a multiple of what memory_limit promises. A new database object now and then is the way out.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check)
"${pip[@]}" pyarrow==26.0.1 psutil==7.2.2
for version in 1.5.5 2.0.0; do
    "${pip[@]}" --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import io
import os
import sys

import duckdb
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

FILES, LIMIT_MB = 600, 64
cached = sys.argv[1]
table = pa.table({f"c{number}": pa.array(range(200)) for number in range(60)})
buffer = io.BytesIO()
pq.write_table(table, buffer, row_group_size=20)

connection = duckdb.connect(config={"threads": 1, "memory_limit": f"{LIMIT_MB}MB"})
connection.execute(f"SET parquet_metadata_cache = {cached}")


def read(number):
    """A file that is written, read once, and deleted."""
    path = f"file-{number}.parquet"
    with open(path, "wb") as file:
        file.write(buffer.getvalue())
    assert connection.execute(f"SELECT sum(c0) FROM '{path}'").fetchall() == [(19900,)]
    os.unlink(path)


def counted():
    """Bytes that DuckDB says its cache of objects takes."""
    query = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
    return connection.execute(query).fetchone()[0]


for number in range(20):
    read(number)
first, first_rss = counted(), psutil.Process().memory_info().rss
for number in range(20, FILES):
    read(number)
grown_mb = (psutil.Process().memory_info().rss - first_rss) / 1e6
print(
    f"DuckDB {duckdb.__version__}, parquet_metadata_cache {cached:5}: counted {first / 20e3:4.0f} kB a file, "
    f"{counted() / 1e6:5.1f} MB in the end; the process grew by {grown_mb:4.0f} MB; memory_limit {LIMIT_MB} MB; "
    f"files left: {len([name for name in os.listdir() if name.endswith('.parquet')])}"
)
if cached == "true":
    assert first / 20 > 50_000, "footers are counted as small"
    assert counted() > 0.9 * LIMIT_MB * 1e6, "footers of deleted files are forgotten now"
    assert grown_mb > 2.5 * LIMIT_MB, "the cache stays within memory_limit now"
    connection.execute("SET parquet_metadata_cache = false")
    assert counted() > 0.9 * LIMIT_MB * 1e6, "turning the setting off frees the footers now"
else:
    assert grown_mb < 2 * LIMIT_MB, "grows without the setting too"
EOF
for version in 1.5.5 2.0.0; do
    for cached in true false; do
        PYTHONPATH="duckdb-$version" venv/bin/python try.py "$cached"
    done
done
echo "As described."
