"""trace: one trace as a tree."""

from __future__ import annotations

import json

import pytest

from spanglass.terminal.tree import branches

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def span(name, depth, offset_ns, duration_ns, **more):
    return {
        "span_id": "00f067aa0ba902b7",
        "parent_span_id": None,
        "depth": depth,
        "service": "web",
        "name": name,
        "kind": "internal",
        "start_time": "2026-11-21T11:34:48.000000000Z",
        "offset_ns": offset_ns,
        "duration_ns": duration_ns,
        "self_time_ns": 5,
        "status": "unset",
        "status_message": "",
        "attributes": {},
        "events": [],
        **more,
    }


EVENT = {
    "offset_ns": 100_000_000,
    "name": "exception",
    "attributes": {"exception.type": "E", "exception.message": "no"},
}
TRACE = {
    "trace_id": TRACE_ID,
    "start_time": "2026-11-21T11:34:48.000000000Z",
    "duration_ns": 1_000_000_000,
    "span_count": 4,
    "error_count": 1,
    "warnings": ["clock_skew"],
    "spans": [
        span("GET /", 0, 0, 1_000_000_000, kind="server"),
        span("db", 1, 100_000_000, 200_000_000, attributes={"db.system": "sqlite"}),
        span("pay", 1, 500_000_000, 500_000_000, status="error", status_message="declined", events=[EVENT]),
        span("card", 2, 900_000_000, 1_000),
    ],
}


def test_tree(canned, run):
    """Each span has a bar at its place in time, its duration, its place in the tree, and its events below it."""
    canned.answer(f"/api/v1/traces/{TRACE_ID}", TRACE)

    result = run("trace", TRACE_ID.upper(), "--attributes")

    assert (result.returncode, result.stderr) == (0, b"")
    assert [line.rstrip() for line in result.stdout.decode().splitlines()] == [
        f"trace {TRACE_ID}",
        "2026-11-21 17:04:48.000 IST, 1 s, 4 spans, 1 error",
        "! clocks of services differ; offsets are corrected",
        "",
        "██████████████████████████████        1 s web GET / (server)",
        "···██████·····················     200 ms ├─ web db",
        "                                          │     db.system = sqlite",
        "···············███████████████     500 ms └─ web pay error: declined",
        "                                             │  • exception at +100 ms: E: no",
        "···························█··       1 µs    └─ web card",
        "",
        f"{canned.url}/traces/{TRACE_ID}",
    ]


def test_spans_that_have_not_ended(canned, run):
    """A running span says so, a lost one also when it was last heard of; both are counted at the top."""
    heard = {"last_heard_time": "2026-11-21T11:34:49.500000000Z"}
    spans = [
        span("GET /", 0, 0, 1_000_000_000, state="running", **heard),
        span("job", 1, 0, 500_000_000, state="lost", **heard),
        span("db", 1, 500_000_000, 500_000_000, state="ended", last_heard_time=None),
    ]
    trace = {**TRACE, "spans": spans, "span_count": 3, "error_count": 0, "running_count": 1, "lost_count": 1}
    canned.answer(f"/api/v1/traces/{TRACE_ID}", {**trace, "warnings": []})

    result = run("trace", TRACE_ID)

    assert [line.rstrip() for line in result.stdout.decode().splitlines()][1:] == [
        "2026-11-21 17:04:48.000 IST, 1 s, 3 spans, 1 running, 1 lost",
        "",
        "██████████████████████████████        1 s web GET / running",
        "███████████████···············     500 ms ├─ web job lost, last heard 2026-11-21 17:04:49.500",
        "···············███████████████     500 ms └─ web db",
        "",
        f"{canned.url}/traces/{TRACE_ID}",
    ]


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (None, ""),
        ({"host": "127.0.0.1", "port": 8083, "service": "payment"}, " to 127.0.0.1:8083 (payment)"),
        ({"host": "pay", "port": None, "service": None}, " to pay"),
        ({"host": None, "port": None, "service": "payment"}, " to payment"),
    ],
)
def test_a_failure_is_named_first(canned, run, peer, words):
    """The head says where the trace began to fail, whom that span called, and why; the span has its reason."""
    failure = {"key": "a", "service": "checkout", "name": "POST", "reason": "refused", "peer": peer}
    spans = [span("POST", 0, 0, 1_000_000_000, status="error", status_message="refused\n at f", reason="refused")]
    canned.answer(f"/api/v1/traces/{TRACE_ID}", {**TRACE, "spans": spans, "warnings": [], "failure": failure})

    lines = [line.rstrip() for line in run("trace", TRACE_ID).stdout.decode().splitlines()]

    assert lines[2] == f"! it began to fail in POST{words} of checkout: refused"
    assert lines[4].endswith("web POST error: refused")


def test_otlp_bytes_pass_unchanged(canned, run):
    """``--otlp`` prints the server's OTLP/JSON as it came."""
    body = b'{"resourceSpans":[{"n":1.50}]}'
    canned.answer(f"/api/v1/traces/{TRACE_ID}", body)

    result = run("trace", TRACE_ID, "--otlp")

    assert result.stdout == body + b"\n"
    assert canned.received[0].parameters == {"format": "otlp"}


def test_ndjson_has_a_line_a_span(canned, run):
    """In ndjson each line is a span of the API."""
    canned.answer(f"/api/v1/traces/{TRACE_ID}", TRACE)

    result = run("trace", TRACE_ID, "--format", "ndjson")

    assert [json.loads(line) for line in result.stdout.splitlines()] == TRACE["spans"]


def test_not_found(canned, run):
    """An unknown trace is exit code 3 with the server's words."""
    error = {"error": {"code": "not_found", "message": "no trace has this id", "hint": "it may have been deleted"}}
    canned.answer(f"/api/v1/traces/{TRACE_ID}", error, status=404)

    result = run("trace", TRACE_ID)

    assert (result.returncode, result.stdout) == (3, b"")
    assert result.stderr.decode() == "spanglass trace: no trace has this id\n  it may have been deleted\n"


def test_bad_id_is_not_sent(canned, run):
    """What is no trace id is refused before the server is asked."""
    result = run("trace", "xyz")

    assert (result.returncode, canned.received) == (2, [])
    assert result.stderr.decode().splitlines() == [
        "spanglass trace: 'xyz' is not a trace id",
        "  a trace id has 32 hex digits, or 16 for a 64-bit id; its first 4 or more do where no other begins so",
    ]


def test_a_short_id_is_padded(canned, run):
    """Sixteen digits are a 64-bit id, which is stored with zeros before it."""
    short = TRACE_ID[16:]
    canned.answer(f"/api/v1/traces/{'0' * 16}{short}", {**TRACE, "trace_id": "0" * 16 + short})

    assert run("trace", short.upper()).stdout.decode().startswith(f"trace {'0' * 16}{short}")


@pytest.mark.parametrize(
    ("depths", "drawn"),
    [
        ([], []),
        ([0, 0], ["", ""]),
        ([0, 1, 2, 1], ["", "├─ ", "│  └─ ", "└─ "]),
        ([0, 1, 2, 2, 0, 1], ["", "└─ ", "   ├─ ", "   └─ ", "", "└─ "]),
        ([0, 1, 2, 3, 1, 2], ["", "├─ ", "│  └─ ", "│     └─ ", "└─ ", "   └─ "]),
    ],
)
def test_branches(depths, drawn):
    """Every node hangs from its parent; a rail runs on while a sibling is to come."""
    assert [here for here, _ in branches(depths)] == drawn


def test_deep_chain_stays_narrow():
    """A chain a thousand deep says its depth in place of a thousand indents."""
    here, below = branches(range(1000))[-1]

    assert here.endswith("[999] ")
    assert max(len(here), len(below)) < 100
