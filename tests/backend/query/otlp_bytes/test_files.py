"""Exports that are read back: the requests of every form have what was stored."""

from __future__ import annotations

import re

import duckdb
import orjson
import pytest
from official_json import official_json, records
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.query.exporting.records import Wanted
from spanglass_server.query.exporting.running import Written, begin_export, next_bytes
from spanglass_server.query.otlp_bytes.files import requests
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.ports import ALL_TIME

MESSAGES = {
    "spans": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
COMMON = {"resource.service.name:str": "web", "scope_name": "lib", "resource.n:int": 2**62}
ROWS = {
    "spans": [
        {
            **COMMON,
            "trace_id": b"\1" * 16,
            "span_id": b"\2" * 8,
            "name": "a",
            "kind": 2,
            "start_time_ns": 5,
            "duration_ns": 7,
            "span.raw:bytes": b"\xff",
            "span.x:double": float("nan"),
            "span.l:json": '[1,{"$bytes":"AA=="}]',
            "event_time_ns": [5, 6],
            "event_name": ["e", None],
            "event.k:str": [None, "v"],
            "flags": 257,
        }
    ],
    "logs": [
        {**COMMON, "time_ns": 9, "body": "text", "severity_number": 9, "arrival_order": 1},
        {"time_ns": 9, "body": "5", "body_type": "int", "log.Big:str": "x" * 300, "arrival_order": 2},
    ],
    "metrics": [
        {**COMMON, "metric_name": "s", "metric_type": "sum", "time_ns": 3, "temporality": 2, "value_int": 0},
        {
            "metric_name": "h",
            "metric_type": "histogram",
            "time_ns": 4,
            "temporality": 1,
            "count": 3,
            "sum": 0.5,
            "bucket_counts": [1, 2],
            "explicit_bounds": [0.5],
            "point.k:str": "v",
        },
    ],
}


@pytest.fixture
def export(open_tables, tmp_path):
    """Write a file of everything of a signal."""
    session = open_tables(**ROWS)

    def write(signal, form, **wanted):
        running = begin_export(session, Wanted(Signal(signal), ALL_TIME, **wanted), Written(form))
        content = b""
        while running is not None:
            more, running = next_bytes(session, running)
            content += more
        path = tmp_path / f"{signal}.{form}"
        path.write_bytes(content)
        return path

    return write


def read(path):
    """All records of a file by signal, as OTLP/JSON has them."""
    found = {}
    for signal, body, count in requests(str(path)):
        inside = records(official_json(MESSAGES[signal].FromString(body)))
        assert len(inside) == count
        found.setdefault(signal, []).extend(inside)
    return {signal: sorted(each) for signal, each in found.items()}


def test_every_form_is_read_back(export, tmp_path):
    """Parquet, NDJSON and a database have the records that OTLP/JSON has, to the last bit."""
    database = tmp_path / "all.duckdb"
    expected = {}
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA stored")
        for signal in SENT:
            lines = export(signal, "otlp").read_bytes().splitlines()
            expected[signal.value] = sorted(record for line in lines for record in records(orjson.loads(line)))
            parquet = export(signal, "parquet")
            connection.execute(f"CREATE TABLE stored.{signal} AS FROM read_parquet('{parquet}')")
            assert read(parquet) == read(export(signal, "ndjson")) == {signal.value: expected[signal.value]}
    assert read(database) == expected
    assert [len(each) for each in expected.values()] == [1, 2, 2]


def test_other_files_are_refused(export, tmp_path):
    """Readable columns, other columns, other files: each is told with what can be imported."""
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "a.ndjson").write_text('{"a": 1}\n')
    (tmp_path / "b.ndjson").write_text("{\n")
    (tmp_path / "a.parquet").write_bytes(b"no")
    duckdb.connect(str(tmp_path / "a.duckdb")).close()
    readable = export("logs", "parquet", readable=True)
    for path, reason in (
        (tmp_path / "a.csv", r"\.parquet, \.ndjson and \.duckdb"),
        (tmp_path / "a.ndjson", "no column 'time_ns'"),
        (tmp_path / "b.ndjson", "not JSON"),
        (tmp_path / "a.parquet", "can't be read"),
        (tmp_path / "a.duckdb", "no schema 'stored'"),
        (readable, "without --names readable"),
    ):
        with pytest.raises(ValueError, match=reason):
            list(requests(str(path)))


def test_a_line_that_is_wrong_is_told(tmp_path):
    """Whatever stands in a line of NDJSON, it is read or refused with its number; blank lines are none."""
    path = tmp_path / "a.ndjson"
    log, point = '{"time_ns": "1", "arrival_order": "1"', '{"time_ns": "1", "metric_name": "m", "metric_type": '
    for lines, reason in (
        ([log + "}", "1"], "line 2 is no object"),
        (["null"], "line 1 is no object"),
        ([log + "}", "", "{"], "line 3 is not JSON"),
        ([log + "}", log + ', "severity_number": "nine"}'], "line 2: 'severity_number' is no "),
        ([log + ', "severity_number": 99999999999}'], "line 1: 'severity_number' is no "),
        ([log + ', "log.n:int": "9223372036854775808"}'], "line 1: 'log.n:int' is no int64"),
        ([log + ', "log.n:bytes": "AA=="}'], "line 1: 'log.n:bytes' is no binary"),
        ([log + ', "body": 5}'], "line 1: 'body' is no string"),
        ([point + '"sum", "bucket_counts": 5}'], "line 1: 'bucket_counts' is no list"),
        ([point + '"sum", "value_int": "1"}', point + '"gouge"}'], "line 2: metric_type is 'gouge', none of "),
    ):
        path.write_text("\n".join(lines))
        with pytest.raises(ValueError, match=re.escape(reason)):
            list(requests(str(path)))
    path.write_text(f"\n{log}}}\n  \n{log}}}\n\n")
    assert [count for *_, count in requests(str(path))] == [2]
