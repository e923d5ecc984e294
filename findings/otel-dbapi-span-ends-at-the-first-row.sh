#!/usr/bin/env bash
# A query that takes a second on SQLite can be a span of a millisecond: what fetches the rows is not in it.
#
# Guess:    the span of a SELECT lasts as long as the database works on it.
# Instead:  OpenTelemetry's instrumentations time execute(). SQLite computes rows while they are fetched, so a query over
#           two million rows has a span of less than a tenth of the time that execute and fetchall take together; sorting
#           the same rows moves the work, and the time, into execute(). With SQLAlchemy over SQLite it is the same.
# Versions: opentelemetry-instrumentation-sqlite3 and -sqlalchemy 0.66b1, SQLAlchemy 2.0.45, Python's sqlite3.
# Matters:  the slow statement of a trace looks fast and the gap after it like the application's own time. Lists of the
#           slowest statements are wrong in their order: those with ORDER BY or count(*) stand first, scans last.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1 SQLAlchemy==2.0.45 \
    opentelemetry-instrumentation-sqlite3==0.66b1 opentelemetry-instrumentation-sqlalchemy==0.66b1

cat > try.py <<'EOF'
import sqlite3
import time

import sqlalchemy
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
SCAN = """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000000)
SELECT n FROM numbers WHERE n % 1000 = 0"""


def share_in_span(what, run):
    """What part of the time of a call its SELECT's span covers."""
    exporter.clear()
    began = time.perf_counter()
    rows = run()
    took_ms = (time.perf_counter() - began) * 1e3
    assert len(rows) == 2000
    span = next(span for span in exporter.get_finished_spans() if "numbers" in span.attributes.get("db.statement", ""))
    span_ms = (span.end_time - span.start_time) / 1e6
    print(f"  {what:36} {took_ms:7.0f} ms, its span {span_ms:7.1f} ms")
    return span_ms / took_ms


engine = sqlalchemy.create_engine("sqlite://")
SQLAlchemyInstrumentor().instrument(engine=engine, tracer_provider=provider)
with engine.connect() as connection:
    share = share_in_span("SQLAlchemy, scan", lambda: connection.execute(sqlalchemy.text(SCAN)).fetchall())
    assert share < 0.1, "the fetch is in SQLAlchemy's span now"
SQLite3Instrumentor().instrument(tracer_provider=provider)
cursor = sqlite3.connect(":memory:").cursor()
share = share_in_span("sqlite3, scan", lambda: cursor.execute(SCAN).fetchall())
assert share < 0.1, "the fetch is in sqlite3's span now"
share = share_in_span("sqlite3, the same rows sorted", lambda: cursor.execute(SCAN + " ORDER BY -n").fetchall())
assert share > 0.5, "sorting is not in execute() any more"
EOF
venv/bin/python try.py
echo "As described."
