#!/usr/bin/env bash
# DuckDB's answers as Arrow tables: a small one holds the room of a million rows for as long as it is kept.
#
# Guess:    a table of 20 rows and 60 columns of integers, whose `nbytes` says 10 kB, takes about that.
# Instead:  to_arrow_table() of 1.5.6 makes room for its whole batch of 1,000,000 rows in each column, whatever comes:
#           500 MB of addresses for each such answer, until it is freed. `nbytes` and get_total_buffer_size() do not
#           show it. to_arrow_table(2048) takes a hundredth of it or less, same rows. 2.0.0 does not do this any more.
# Versions: DuckDB 1.5.6 and 2.0.0, pyarrow 26.0.1, Linux.
# Matters:  a server that caches small answers, or only keeps many of them at once, grows without a trace in Arrow's own
#           figures; below a limit of addresses (ulimit -v) twenty small answers fail for want of memory.
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
import re
from pathlib import Path

import duckdb

KEPT = 20
connection = duckdb.connect(config={"threads": 1})
sql = "SELECT " + ", ".join(f"range + {number} AS c{number}" for number in range(60)) + " FROM range(20)"


def taken_mb():
    """Addresses that the process has taken."""
    return int(re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def each_mb(*batch):
    """What an answer takes while it is kept, and what Arrow says of it."""
    before, kept = taken_mb(), []
    for _ in range(KEPT):
        kept.append(connection.execute(sql).to_arrow_table(*batch))
    assert kept[0].num_rows == 20
    return (taken_mb() - before) / KEPT, kept[0].nbytes, kept[0].get_total_buffer_size()


print(f"DuckDB {duckdb.__version__}, 20 rows of 60 integers, {KEPT} answers kept")
usual, said, buffers = each_mb()
print(f"  to_arrow_table():     {usual:6.1f} MB of addresses each; nbytes {said:,}, buffers {buffers:,}")
small, _, _ = each_mb(2048)
print(f"  to_arrow_table(2048): {small:6.1f} MB of addresses each")
assert said < 20_000 and buffers < 20_000, "Arrow knows more now"
if duckdb.__version__ == "1.5.6":
    assert usual > 300, "small answers take little now"
    assert small < usual / 100, "the batch does not decide now"
else:
    assert usual < 30, "small answers take much again"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
