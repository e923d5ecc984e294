#!/usr/bin/env bash
# OpenTelemetry's sqlite3 instrumentation does not see Connection.execute, the way most Python code runs its SQL.
#
# Guess:    with SQLite3Instrumentor().instrument() every statement of a new connection is a span.
# Instead:  only cursors are wrapped. connection.execute(), executemany() and executescript(), the shortcuts of Python's
#           own documentation, make no span and no message; the same text through connection.cursor() makes one. The
#           connection looks instrumented all the while.
# Versions: opentelemetry-instrumentation-sqlite3 0.66b1, Python's sqlite3.
# Matters:  traces of an application on SQLite show some of its statements, those of an ORM that uses cursors, and "time
#           in the database" is short by the rest. A backend can't tell a quiet database from one that is not seen.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-sqlite3==0.66b1

cat > try.py <<'EOF'
import sqlite3
from importlib.metadata import version

from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
SQLite3Instrumentor().instrument(tracer_provider=provider)
connection = sqlite3.connect(":memory:")
print("opentelemetry-instrumentation-sqlite3", version("opentelemetry-instrumentation-sqlite3"))


def spans(what, run):
    """Names of the spans that a call makes."""
    exporter.clear()
    run()
    names = [span.name for span in exporter.get_finished_spans()]
    print(f"  {what:28} {names}")
    return names


INSERT = "INSERT INTO orders VALUES (?)"
for what, run in {
    "connection.execute()": lambda: connection.execute("CREATE TABLE orders(id INTEGER)"),
    "connection.executemany()": lambda: connection.executemany(INSERT, [(1,), (2,)]),
    "connection.executescript()": lambda: connection.executescript("UPDATE orders SET id = id + 1"),
}.items():
    assert spans(what, run) == [], "shortcuts are seen now"
assert spans("cursor.execute()", lambda: connection.cursor().execute("SELECT * FROM orders")) == ["SELECT"]
assert spans("cursor.executemany()", lambda: connection.cursor().executemany(INSERT, [(3,)])) == ["INSERT"]
assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)
EOF
venv/bin/python try.py
echo "As described."
