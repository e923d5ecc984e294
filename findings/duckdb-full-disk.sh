#!/usr/bin/env bash
# DuckDB on a full disk: the same insert fails harmlessly or ends the whole database, by which file grows first.
#
# Guess:    a write that does not fit fails, is rolled back, and reading goes on, as with SQLite; or else every such
#           failure is fatal.
# Instead:  where the write-ahead log is what finds no room, the insert raises TransactionException and all goes on.
#           Where the log has room and the automatic checkpoint after it finds none, the insert raises FatalException
#           and the database object is dead: even `SELECT 1` fails, on every cursor, for tables in memory too, and still
#           when there is room again. Closed and opened again, everything that was acknowledged is there.
# Versions: DuckDB 1.5.5 and 2.0.0; the SQLite that comes with Python for comparison. The full disk is a limit on the
#           size of a file (RLIMIT_FSIZE), which makes writes beyond it fail.
# Matters:  a backend must go on answering queries when the disk is full, and which of the two happens is chance. A
#           probe that only tries small writes sees the harmless case.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for version in 1.5.5 2.0.0; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import resource
import signal
import sqlite3
import sys

import duckdb

ROWS = 50_000
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails then, and is no signal
HARD = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def limit(size):
    """The largest size of a file from here on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, HARD))


def outcome(run, *arguments):
    """What a call returns, or the name of its error."""
    try:
        return run(*arguments)
    except Exception as error:
        return type(error).__name__


def fill_duckdb(size):
    """Insert until it fails: the error, what follows, and whether all acknowledged rows are there after all."""
    connection = duckdb.connect(f"{size}.db", config={"threads": 1})
    connection.execute("CREATE TABLE big(value BIGINT)")
    connection.execute("CREATE TEMP TABLE kept AS SELECT 42 AS answer")
    limit(size)
    acknowledged, error = 0, None
    while acknowledged < 200 * ROWS and error is None:
        insert = f"INSERT INTO big SELECT hash(range + {acknowledged}) >> 1 FROM range({ROWS})"
        error = outcome(lambda text: connection.execute(text) and None, insert)
        acknowledged += ROWS if error is None else 0
    ask = lambda text: connection.cursor().execute(text).fetchall()
    after = {"SELECT 1": outcome(ask, "SELECT 1"), "a temp table": outcome(connection.execute, "FROM kept")}
    limit(HARD)
    after["with room again"] = outcome(ask, "SELECT count(*) > 0 FROM big")
    connection.close()
    with duckdb.connect(f"{size}.db") as again:
        after["reopened, all rows there"] = again.execute("SELECT count(*) FROM big").fetchone()[0] >= acknowledged
    after["a temp table"] = "works" if not isinstance(after["a temp table"], str) else after["a temp table"]
    return error, after


def fill_sqlite():
    """The same with SQLite."""
    connection = sqlite3.connect("sqlite.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE big(value BLOB)")
    limit(4 << 20)
    error = None
    while error is None:
        error = outcome(lambda: connection.execute("INSERT INTO big VALUES (randomblob(100000))") and None)
    limit(HARD)
    return error, outcome(lambda: connection.execute("INSERT INTO big VALUES (1)").rowcount)


if len(sys.argv) > 1:
    error, after = fill_duckdb(int(sys.argv[1]) << 20)
    print(f"DuckDB {duckdb.__version__}, files of {sys.argv[1]} MiB at most: {error}; then {after}")
    fatal = sys.argv[1] == "24"
    assert error == ("FatalException" if fatal else "TransactionException"), "fails in another way now"
    assert (after["SELECT 1"] == "FatalException") == fatal, "the database is invalidated differently now"
    assert (after["a temp table"] == "FatalException") == fatal
    assert (after["with room again"] == "FatalException") == fatal
    assert after["reopened, all rows there"] is True, "acknowledged rows are lost now"
else:
    print(f"SQLite {sqlite3.sqlite_version}, for comparison: the error and then the rows a next insert adds: ", end="")
    result = fill_sqlite()
    print(result)
    assert result[1] == 1
EOF
export PYTHONPATH
for version in 1.5.5 2.0.0; do
    PYTHONPATH="duckdb-$version"
    venv/bin/python try.py 12
    rm -f ./*.db*
    venv/bin/python try.py 24
    rm -f ./*.db*
done
venv/bin/python try.py
echo "As described."
