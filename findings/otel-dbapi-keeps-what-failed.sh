#!/usr/bin/env bash
# Under OpenTelemetry's instrumentations of databases, a statement that fails keeps its cursor and parameters alive.
#
# Guess:    when execute() raises and the exception is handled, the cursor and the statement's parameters are gone with
#           their last reference, as without instrumentation.
# Instead:  the tracer keeps the exception in a local variable of the frame that the exception's traceback refers to: a
#           cycle, which only the garbage collector ends. Until then cursor, connection and all parameters stay. Where
#           the collector is off or frozen, as some servers do after start, that is for ever.
# Versions: opentelemetry-instrumentation-dbapi 0.66b1, below sqlite3, psycopg, psycopg2, MySQL's drivers and others.
# Matters:  memory grows by the parameters of failing statements (blobs, batches), and what is done when a cursor or
#           connection goes (closing, returning to a pool) is late.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-sqlite3==0.66b1

cat > try.py <<'EOF'
import gc
import sqlite3
import weakref
from importlib.metadata import version

from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider


class Parameters(dict):
    """Parameters that can be referred to weakly."""


def alive_after_a_failure():
    cursor = sqlite3.connect(":memory:").cursor()
    parameters = Parameters(picture=b"x" * 1_000_000)
    reference = weakref.ref(parameters)
    try:
        cursor.execute("SELECT missing, :picture", parameters)
    except sqlite3.OperationalError:
        pass
    del cursor, parameters
    return reference() is not None


gc.disable()
bare = alive_after_a_failure()
SQLite3Instrumentor().instrument(tracer_provider=TracerProvider())
instrumented = alive_after_a_failure()
print("opentelemetry-instrumentation-dbapi", version("opentelemetry-instrumentation-dbapi"))
print(f"  parameters of a failed statement are alive: without instrumentation {bare}, with {instrumented}")
assert (bare, instrumented) == (False, True), "the cycle is gone"
EOF
venv/bin/python try.py
echo "As described."
