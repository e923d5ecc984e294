"""Files of whole ranges, of what the server keeps, and of answers of SQL."""

from __future__ import annotations

import csv
import io
import json
import struct
import sys
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanglass.client import ClientError, DataClient, MissingLibraryError, RequestError, query
from spanglass_server.issues.model import Sighting
from spanglass_server.issues.sql_views import sql_views
from spanglass_server.query.exporting import running
from spanglass_server.query.exporting.records import Wanted, columns_of
from spanglass_server.query.exporting.running import Written, begin_export, next_bytes
from spanglass_server.query.structure import kept_sets
from spanglass_server.signals import Signal
from spanglass_server.store.keeping.rows import ONE_IN, PROBABILITY
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
#: 2026-01-01T00:00:00Z
NEW_YEAR = 1_767_225_600 * SECOND
RANGE = {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:10:00Z"}
SPAN = {"trace_id": b"\1" * 16, "kind": 2, "duration_ns": 7, "resource.service.name:str": "web"}
SPANS = [
    {**SPAN, "start_time_ns": n * SECOND, "span_id": bytes(8 - 1) + bytes([n]), "name": f"=op {n}", **more}
    for n, more in enumerate(
        (
            {"span.route:str": "/a", "span.size:int": 2**60},
            {"span.route:str": "/b", "span.size:double": 0.5, "span.raw:bytes": b"\xff"},
            {"event_time_ns": [5, 6], "event_name": ["x", None], "span.ok:bool": True},
        ),
        1,
    )
]


@pytest.fixture
def ask(api, monkeypatch):
    """Ask for files of three spans, two in a piece at most."""
    monkeypatch.setattr(running, "PIECE_ROWS", 2)
    client = api(spans=SPANS)

    def get(path, status=200, **params):
        answer = client.get(f"/api/v1{path}", params=params)
        assert answer.status_code == status, answer.text
        return answer if status == 200 else answer.json()["error"]

    return get


def test_records_are_exported_in_every_form(ask):
    """Parquet and NDJSON have what is stored, CSV what SQL sees, OTLP/JSON what was sent; mistakes are told by name."""
    answer = ask("/export", **RANGE)
    assert answer.headers["content-disposition"] == 'attachment; filename="spans.parquet"'
    table = pq.read_table(pa.BufferReader(answer.content)).sort_by("start_time_ns")
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    assert rows == SPANS
    assert table.schema.field("name").type == pa.string()
    filtered = ask("/export", **RANGE, filter='route = "/b"', format="arrow").content
    assert pa.ipc.open_stream(filtered).read_all()["span_id"].to_pylist() == [SPANS[1]["span_id"]]
    lines = [json.loads(line) for line in ask("/export", **RANGE, format="ndjson").text.splitlines()]
    assert sorted((line["name"], line.get("span.size:int")) for line in lines) == [
        ("=op 1", str(2**60)),
        ("=op 2", None),
        ("=op 3", None),
    ]
    text = ask("/export", **RANGE, format="csv", columns="name,route,kind,event_name").text
    assert sorted(csv.reader(io.StringIO(text))) == [
        ["'=op 1", "/a", "server", ""],
        ["'=op 2", "/b", "server", ""],
        ["'=op 3", "", "server", '["x",null]'],
        ["name", "route", "kind", "event_name"],
    ]
    sent = [json.loads(line) for line in ask("/export", **RANGE, format="otlp").text.splitlines()]
    names = [span["name"] for line in sent for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert sorted(names) == ["=op 1", "=op 2", "=op 3"]
    assert ask("/export", 400, **RANGE, columns="nam")["field"] == "columns"
    assert ask("/export", 400, **RANGE, columns="name", names="stored")["field"] == "columns"
    assert ask("/export", 400, **RANGE, filter="a = =")["field"] == "filter"
    assert ask("/export", 400, **RANGE, format="otlp", names="readable")["field"] == "names"


def test_an_export_is_planned_and_taken_in_parts(ask):
    """Parts are disjoint and have all columns; a frame tells bytes and records, an empty one the end of the file."""
    plan = ask("/export/plan", **RANGE, rows=2).json()
    assert plan["signal"] == "spans"
    assert {"name": "span.size:int", "type": "BIGINT"} in plan["stored"]
    names = []
    for part in ("0-2000000000", "2000000000-600000000000"):
        content = ask("/export", **RANGE, part=part, framing="framed").content
        file, rows = b"", 0
        while length := struct.unpack_from(">II", content)[0]:
            rows += struct.unpack_from(">II", content)[1]
            file, content = file + content[8 : 8 + length], content[8 + length :]
        assert content == bytes(8)
        table = pq.read_table(pa.BufferReader(file))
        assert table.num_rows == rows
        names.append((sorted(table["name"].to_pylist()), "span.size:double" in table.column_names))
    assert names == [(["=op 1"], True), (["=op 2", "=op 3"], True)]
    assert ask("/export", 400, **RANGE, part="5-700000000000")["field"] == "part"
    for route in ("/export", "/export/plan"):
        for signal, text in (("spans", "a = ="), ("logs", "has(child, name:a)")):
            assert ask(route, 400, **RANGE, signal=signal, filter=text)["field"] == "filter"


def test_a_filter_may_be_about_spans_of_other_parts(api):
    """However a range is cut, parents, children and whole traces that lie in another part of it count."""
    hour = 3_600 * SECOND
    root = {**SPAN, "span_id": b"\1" * 8, "start_time_ns": SECOND, "name": "root"}
    child = {**SPAN, "span_id": b"\2" * 8, "parent_span_id": b"\1" * 8, "start_time_ns": hour, "name": "child"}
    other = {**SPAN, "trace_id": b"\2" * 16, "span_id": b"\3" * 8, "start_time_ns": 2 * hour, "name": "other"}
    client = api(spans=[root, child, other])
    asked = {"format": "ndjson", "start": RANGE["start"], "end": "1970-01-01T03:00:00Z"}
    for text, how, names in (
        ("parent(name = root)", "stored", ["child"]),
        ("trace.spans > 1", "readable", ["child", "root"]),
        ("child(name = child) = 0", "stored", ["child", "other"]),
    ):
        found = []
        for n in range(3):
            part = f"{n * hour}-{(n + 1) * hour}"
            answer = client.get("/api/v1/export", params={**asked, "filter": text, "names": how, "part": part})
            found += [json.loads(line)["name"] for line in answer.text.splitlines()]
        assert sorted(found) == names, text


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_traces_may_be_thinned_while_they_are_exported(form, open_tables, monkeypatch):
    """A file that was begun before retention thinned for the first time takes what thinning writes into spans."""
    monkeypatch.setattr(running, "PIECE_ROWS", 2)
    thinned = {ONE_IN: 4, PROBABILITY: 0.25}
    window = Window(0, 600 * SECOND)
    before, after = open_tables(spans=SPANS), open_tables(spans=[{**span, **thinned} for span in SPANS])
    export = begin_export(before, Wanted(Signal.SPANS, window), Written(form))
    content = b""
    while export is not None:
        more, export = next_bytes(after, export)
        content += more
    buffer = pa.BufferReader(content)
    table = pq.read_table(buffer) if form == "parquet" else pa.ipc.open_stream(buffer).read_all()
    assert table.select(list(thinned)).to_pylist() == [thinned] * 3
    assert (
        "spanglass.retention.one_in" not in columns_of(before, Wanted(Signal.SPANS, window, readable=True)).expressions
    )


def test_other_spans_are_looked_for_once(api, monkeypatch):
    """In a file of several pieces once, in one part, with the same records as where every piece looks anew."""
    monkeypatch.setattr(running, "PIECE_ROWS", 1)
    hour, names = 3_600 * SECOND, ("root", "child", "grandchild", "other")
    spans = [
        {**SPAN, "span_id": bytes([n + 1]) * 8, "parent_span_id": bytes([n]) * 8 if 0 < n < 3 else None,
         "start_time_ns": n * hour + SECOND, "name": name, **({"trace_id": b"\2" * 16} if name == "other" else {})}
        for n, name in enumerate(names)
    ]  # fmt: skip
    client, looked = api(spans=spans), []
    keep = kept_sets.KeptSets.keep
    monkeypatch.setattr(kept_sets.KeptSets, "keep", lambda *given: looked.append(given) or keep(*given))
    asked = {"format": "ndjson", "start": RANGE["start"], "end": "1970-01-01T04:00:00Z"}
    for text, how, sets, found in (
        ("parent(name = root)", "stored", 1, {"child"}),
        ("child(child(name = grandchild))", "readable", 1, {"root"}),
        ("ancestor(name = root) and trace.spans > 2", "stored", 2, {"child", "grandchild"}),
        ("not parent(name = root) and trace.errors = 0", "readable", 2, {"root", "grandchild", "other"}),
        ("name = other or child(name = child)", "stored", 1, {"other", "root"}),
    ):
        plan = client.get("/api/v1/export/plan", params={**asked, "filter": text, "rows": 1000}).json()
        assert len(plan.get("parts", plan)) == 1, plan
        for most in (10, 0):
            monkeypatch.setattr(kept_sets, "MOST_IDS", most)
            looked.clear()
            answer = client.get("/api/v1/export", params={**asked, "filter": text, "names": how})
            assert {json.loads(line)["name"] for line in answer.text.splitlines()} == found, (text, most)
            assert len(looked) == sets


def test_readable_columns_are_sql_over_stored_ones(ask):
    """What the plan says of readable columns gives them from a file of stored ones."""
    plan = ask("/export/plan", **RANGE).json()
    file = ask("/export", **RANGE).content
    stored = pq.read_table(pa.BufferReader(file))
    columns = ", ".join(f'{each["sql"]} AS "{each["name"]}"' for each in plan["readable"])
    made = duckdb.connect().execute(f"SELECT {columns} FROM stored ORDER BY start_time").to_arrow_table()  # noqa: S608
    readable = ask("/export", **RANGE, names="readable").content
    seen = pq.read_table(pa.BufferReader(readable)).sort_by("start_time")
    assert made.num_rows == stored.num_rows
    assert made.cast(seen.schema).equals(seen)


def test_answers_of_sql_are_files(ask):
    """As a table for programs or CSV for people; never cut, and with the reasons of the console."""
    answer = ask("/sql/export", sql="SELECT name, start_time FROM spans ORDER BY name", format="arrow")
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table["name"].to_pylist() == ["=op 1", "=op 2", "=op 3"]
    assert table.schema.field("start_time").type == pa.timestamp("ns")
    text = ask("/sql/export", sql="SELECT name, start_time FROM spans ORDER BY name").text
    assert text.splitlines()[1] == "'=op 1,1970-01-01T00:00:01.000000000Z"
    assert ask("/sql/export", sql="FROM spans", limit=3, format="ndjson").text.count("\n") == 3
    assert ask("/sql/export", 400, sql="FROM spans", limit=2)["field"] == "limit"
    assert ask("/sql/export", 400, sql="FROM nowhere")["field"] == "sql"


def test_issues_are_exported(serve_api, open_tables, issue_store):
    """Issues that were there at a time are rows as SQL sees them; what the server does not keep is an error."""
    made = {"service": "web", "title": "E: x", "type": "E", "message": "x", "culprit": "f", "version": 1, "inputs": ()}
    issue_store.observe([Sighting(key=key, first_ns=key * SECOND, last_ns=key * SECOND, **made) for key in (5, 7)], 9)
    session = open_tables()
    session.tables_offered = sql_views(issue_store, lambda: 9 * SECOND)

    async def run(query, *, deadline_s):
        del deadline_s
        return query(session)

    client = serve_api(SimpleNamespace(run=run))
    asked = {"signal": "issues", **RANGE, "end": "1970-01-01T00:00:06Z", "format": "ndjson"}
    (line,) = client.get("/api/v1/export", params=asked).text.splitlines()
    assert {"id": "WEB-1", "state": "new", "issue_keys": [5], "title": "E: x"}.items() <= json.loads(line).items()
    assert json.loads(line)["first_seen"] == "1970-01-01T00:00:05.000000000Z"
    refused = client.get("/api/v1/export", params={**asked, "filter": "a = b"}).json()["error"]
    assert refused["field"] == "filter"
    assert client.get("/api/v1/export", params={**asked, "signal": "alerts"}).json()["error"]["field"] == "signal"


def test_the_client_gives_tables(api, monkeypatch):
    """Rows of SQL and of searches, with all their types; what is not installed is named, and mistakes are errors."""
    client = api(spans=SPANS, logs=[{"time_ns": 5, "body": "hello"}])
    monkeypatch.setenv("SPANGLASS_URL", str(client.base_url))
    found = query("SELECT name, start_time FROM spans ORDER BY name LIMIT 1")
    assert found.to_dicts() == [{"name": "=op 1", "start_time": SECOND}]
    (row,) = query(
        "SELECT event_time, {'a': [start_time]} AS s, MAP {'k': start_time} AS m, INTERVAL 1 DAY AS i,"
        " TIMESTAMP '2026-01-01 00:00:00.000001' AS us FROM spans WHERE len(event_name) = 2"
    ).to_dicts()
    row.pop("i")
    assert row == {"event_time": [5, 6], "s": {"a": [3 * SECOND]}, "m": [("k", 3 * SECOND)], "us": NEW_YEAR + 1_000}
    with pytest.raises(ClientError, match="to_arrow"):
        query("SELECT TIMESTAMP '9999-01-01' AS far").to_dicts()
    assert found.to_arrow().schema.field("start_time").type == pa.timestamp("ns")
    with DataClient() as data:
        assert data.spans('route = "/b"', columns=["name", "size"], **RANGE).to_dicts() == [
            {"name": "=op 2", "size": 0.5}
        ]
        assert data.logs(**RANGE).arrow["body"].to_pylist() == ["hello"]
        assert len(data.metrics(**RANGE)) == 0
        for call, field in ((lambda: data.query("FROM nowhere"), "sql"), (lambda: data.spans("a = ="), "filter")):
            with pytest.raises(RequestError) as refused:
                call()
            assert refused.value.field == field
    monkeypatch.setitem(sys.modules, "polars", SimpleNamespace(from_arrow=lambda table: table))
    zoned = query(
        "SELECT start_time, [start_time] AS l, MAP {'k': {'t': start_time}} AS m FROM spans LIMIT 1"
    ).to_polars()
    in_utc = pa.timestamp("ns", "UTC")
    assert zoned.schema.types == [in_utc, pa.list_(in_utc), pa.map_(pa.string(), pa.struct({"t": in_utc}))]
    assert zoned["start_time"][0].as_py().tzname() == "UTC"
    for library in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingLibraryError, match=f"pip install {library}"):
            getattr(found, f"to_{library}")()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingLibraryError, match="dataframes"):
        query("FROM spans")
