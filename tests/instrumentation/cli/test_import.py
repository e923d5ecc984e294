"""``spanglass import``: what is posted, what has arrived, and Jaeger's JSON as OTLP."""

from __future__ import annotations

import gzip
import json

import pytest

from spanglass.cli.main import main

TRACE, SPAN, PARENT = "ab" * 16, "cd" * 8, "ef" * 8
JAEGER = {
    "data": [
        {
            "traceID": TRACE,
            "processes": {
                "p1": {"serviceName": "shop", "tags": [{"key": "host.name", "type": "string", "value": "h1"}]}
            },
            "spans": [
                {
                    "traceID": TRACE,
                    "spanID": SPAN[2:],
                    "processID": "p1",
                    "operationName": "GET /",
                    "startTime": 1_700_000_000_000_001,
                    "duration": 7,
                    "references": [
                        {"refType": "CHILD_OF", "traceID": TRACE, "spanID": PARENT},
                        {"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": "1"},
                    ],
                    "tags": [
                        {"key": "span.kind", "type": "string", "value": "server"},
                        {"key": "error", "type": "bool", "value": True},
                        {"key": "otel.scope.name", "type": "string", "value": "lib"},
                        {"key": "http.status_code", "type": "int64", "value": 500},
                        {"key": "ratio", "type": "float64", "value": 0.5},
                        {"key": "raw", "type": "binary", "value": "AA=="},
                        {"key": "ok", "type": "bool", "value": False},
                    ],
                    "logs": [
                        {
                            "timestamp": 1_700_000_000_000_002,
                            "fields": [
                                {"key": "event", "type": "string", "value": "retry"},
                                {"key": "n", "type": "int64", "value": 2},
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}
AS_OTLP = {
    "traceId": TRACE,
    "spanId": "00" + SPAN[2:],
    "parentSpanId": PARENT,
    "name": "GET /",
    "kind": 2,
    "startTimeUnixNano": "1700000000000001000",
    "endTimeUnixNano": "1700000000000008000",
    "attributes": [
        {"key": "http.status_code", "value": {"intValue": "500"}},
        {"key": "ratio", "value": {"doubleValue": 0.5}},
        {"key": "raw", "value": {"bytesValue": "AA=="}},
        {"key": "ok", "value": {"boolValue": False}},
    ],
    "events": [
        {
            "timeUnixNano": "1700000000000002000",
            "name": "retry",
            "attributes": [{"key": "n", "value": {"intValue": "2"}}],
        }
    ],
    "links": [
        {
            "traceId": TRACE,
            "spanId": "0" * 15 + "1",
            "attributes": [{"key": "opentracing.ref_type", "value": {"stringValue": "follows_from"}}],
        }
    ],
    "status": {"code": 2},
}


@pytest.fixture
def run_import(canned, tmp_path, monkeypatch, capsys):
    """Run the command in a directory of its own, one request at a time, without trying again."""
    monkeypatch.setenv("SPANGLASS_URL", canned.url)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        canned.received.clear()
        code = main(["import", "--parallel", "1", "--retry-for", "0", *words])
        return code, [json.loads(request.body) for request in canned.received], capsys.readouterr()

    return call


def test_traces_of_jaeger_are_posted_as_otlp(canned, run_import, tmp_path):
    """Every field has its place; what is no trace of Jaeger's is told by its id."""
    canned.answer("/v1/traces", {})
    (tmp_path / "t.json").write_text(json.dumps(JAEGER))
    code, (sent,), told = run_import("t.json")
    assert (code, told.out.split(" (")[0]) == (0, "imported 1 span")
    (resource,) = sent["resourceSpans"]
    assert resource["resource"]["attributes"][0] == {"key": "service.name", "value": {"stringValue": "shop"}}
    assert resource["scopeSpans"] == [{"scope": {"name": "lib", "version": ""}, "spans": [AS_OTLP]}]
    del JAEGER["data"][0]["spans"][0]["startTime"]
    (tmp_path / "t.json").write_text(json.dumps(JAEGER))
    code, sent, told = run_import("t.json")
    assert (code, sent) == (1, [])
    assert f"trace {TRACE} is not as Jaeger writes it: the field 'startTime' is missing" in told.err


def test_an_import_that_was_ended_goes_on(canned, run_import, tmp_path):
    """What has arrived of all files is not sent again, unless one is another; what was left out is counted."""
    (tmp_path / "a.json").write_text(json.dumps({"resourceSpans": []}))
    canned.answer("/v1/traces", {})
    lines = [json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}] * n}]}]}) for n in (1, 2, 3)]
    (tmp_path / "collector.jsonl").write_text("\n".join(lines))
    canned.answer("/v1/logs", {})
    canned.answer("/v1/logs", {"message": "disk"}, 500)
    canned.answer("/v1/logs", b"\x0a\x07\x08\x02\x12\x03old", headers={"Content-Type": "application/x-protobuf"})
    code, sent, told = run_import("a.json", "collector.jsonl")
    assert (code, len(sent) >= 3, "disk" in told.err) == (1, True, True)
    code, sent, told = run_import("a.json", "collector.jsonl")
    assert code == 4
    assert [len(each["resourceLogs"][0]["scopeLogs"][0]["logRecords"]) for each in sent] == [2, 3]
    assert "collector.jsonl:2: 2 left out: old" in told.err
    assert told.out.startswith("imported 5 log records")
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."] == []
    assert run_import("missing.json")[0] == 1


@pytest.mark.parametrize("begun", [{}, {"checksum": 5}])
def test_an_import_that_another_version_began_is_refused(canned, run_import, tmp_path, begun):
    """Where requests that have arrived are not those that are made now, nothing is sent, and a way on is told."""
    path, beside = tmp_path / "c.jsonl", tmp_path / ".c.jsonl.imported"
    path.write_text("\n".join(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}) for _ in range(3)))
    about = {"url": canned.url, "size": path.stat().st_size, "changed_ns": path.stat().st_mtime_ns}
    canned.answer("/v1/logs", {})
    for far, code, sent in (
        ({"requests": 1, "whole": False}, 1, 0),
        ({"requests": 9, "whole": False}, 1, 0),
        ({"requests": 0, "whole": False}, 0, 3),
        ({"requests": 3, "whole": True}, 0, 0),
    ):
        beside.write_text(json.dumps({**about, **begun, **far}))
        found, received, told = run_import("c.jsonl")
        assert (found, len(received)) == (code, sent), far
        if code:
            assert "another version of spanglass imported a part of it" in told.err
            assert "finish with that version; or --restart imports all of it" in told.err
            assert beside.exists()
    beside.write_text(json.dumps({**about, **begun, "requests": 1, "whole": False}))
    code, received, _ = run_import("--restart", "c.jsonl")
    assert (code, len(received)) == (0, 3)


def test_what_follows_alone_is_the_parent_and_no_tag_is_lost(canned, run_import, tmp_path):
    """A span that only follows another of its trace has it as parent and link; a key with several values is a list."""
    canned.answer("/v1/traces", {})
    span = {"traceID": TRACE, "spanID": SPAN, "operationName": "a", "startTime": 1, "duration": 1}
    span["references"] = [{"refType": "FOLLOWS_FROM", "traceID": trace, "spanID": PARENT} for trace in ("1", TRACE)]
    span["tags"] = [{"key": "k", "type": "string", "value": value} for value in ("a", "b", "a")]
    span["tags"].append({"key": "x", "type": "float64", "value": float("inf")})
    content = {"data": [{"traceID": TRACE, "spans": None}, {"traceID": TRACE, "spans": [span]}]}
    (tmp_path / "packed").write_bytes(gzip.compress(json.dumps(content).encode()))
    code, (sent,), _ = run_import("packed")
    (found,) = sent["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (code, found["parentSpanId"], [link["spanId"] for link in found["links"]]) == (0, PARENT, [PARENT, PARENT])
    assert found["attributes"] == [
        {"key": "k", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}},
        {"key": "x", "value": {"doubleValue": "Infinity"}},
    ]
    span["startTime"] = float("inf")
    broken = bytearray(gzip.compress(json.dumps(JAEGER).encode()))
    broken[40] ^= 255
    for name, written, reason in (
        ("a.json", json.dumps(content).encode(), f"trace {TRACE} is not as Jaeger writes it"),
        ("b.json", b'{"data": ' + b"[" * 200_000, "not JSON"),
        ("c.json.gz", bytes(broken), "can't be read"),
    ):
        (tmp_path / name).write_bytes(written)
        code, sent, told = run_import(name)
        assert (code, sent, f"{name}" in told.err, reason in told.err) == (1, [], True, True), told.err
