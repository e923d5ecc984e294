#!/usr/bin/env bash
# DuckDB's interrupt(): before the query it is forgotten, on the parent it is in vain, and it takes the transaction along.
#
# Guess:    interrupt() on a connection stops what runs on it and on its cursors, the next query too if none runs yet,
#           and the statement that was stopped is as if it had never been.
# Instead:  an interrupt between two queries does nothing, so a watchdog that fires a moment early stops nothing, ever.
#           An interrupt of the connection that cursor() was called on leaves the cursor's query running to its end. One
#           that hits a SELECT inside an open transaction aborts all of it, and the COMMIT after it raises nothing: an
#           INSERT from before the SELECT is gone without an error.
# Versions: DuckDB 1.5.6 and 2.0.0.
# Matters:  a query deadline and a client that disconnects are built on it. It must be repeated until the query has
#           ended, on the very cursor, and never share a connection with a transaction that must stand.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for version in 1.5.6 2.0.0; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import threading
import time

import duckdb

connection = duckdb.connect(config={"threads": 1})


def heavy(rows):
    return f"SELECT sum(a.range * b.range) FROM range({rows}) a, range({rows}) b"


def run(cursor, query, interrupted=None, after_s=0.1):
    """The error's name or "answered", and the seconds; ``interrupted`` is interrupted meanwhile."""
    timer = threading.Timer(after_s, interrupted.interrupt) if interrupted else None
    if timer:
        timer.start()
    start = time.monotonic()
    try:
        cursor.execute(query).fetchall()
        result = "answered"
    except duckdb.Error as error:
        result = type(error).__name__
    seconds = time.monotonic() - start
    if timer:
        timer.join()
    return result, seconds


def show(what, result, seconds):
    print(f"  {what:50} {result} after {seconds:.2f} s")


print("DuckDB", duckdb.__version__)
rows = 2000  # until the query takes half a second on this machine
while run(connection, heavy(rows))[1] < 0.5:
    rows *= 2
cursor = connection.cursor()
show("not interrupted", *run(cursor, heavy(rows)))

cursor.interrupt()
result, seconds = run(cursor, heavy(rows))
show("the cursor interrupted just before", result, seconds)
assert result == "answered", "an early interrupt is remembered now"

result, seconds = run(cursor, heavy(rows), connection)
show("the connection it came from interrupted meanwhile", result, seconds)
assert result == "answered", "cursors are stopped with their connection now"

result, seconds = run(cursor, heavy(100 * rows), cursor)
show("the cursor itself, a query 10 000 times as long", result, seconds)
assert result == "InterruptException"

cursor.execute("CREATE TABLE kept(value INTEGER)")
cursor.execute("BEGIN")
cursor.execute("INSERT INTO kept VALUES (1)")
assert run(cursor, heavy(100 * rows), cursor)[0] == "InterruptException"
result, seconds = run(cursor, "COMMIT")
show("COMMIT after an interrupted SELECT", result, seconds)
left = connection.execute("SELECT count(*) FROM kept").fetchone()[0]
print(f"  rows that the transaction inserted before: {left}")
assert result == "answered" and left == 0, "the transaction survives now, or COMMIT says that it is lost"
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
