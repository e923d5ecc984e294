"""logs: search, and following."""

from __future__ import annotations

import json
import signal
import subprocess
import sys


def record(body, **more):
    return {
        "id": "1",
        "time": "2026-11-21T11:34:48.123456789Z",
        "severity": "warn",
        "service": "web",
        "body": body,
        "event_name": "",
        "trace_id": None,
        "span_id": None,
        "attributes": {},
        "resource": {},
        **more,
    }


def page(*records, cursor=None, newest=None):
    return {"logs": list(records), "next_cursor": cursor, "newest_cursor": newest}


def lines(output):
    return [line.rstrip() for line in output.decode().splitlines()]


def test_newest_last(canned, run):
    """Records are printed oldest first, one a line, with severity and service in columns."""
    structured = record({"a": [1, "x"]}, severity="unset", attributes={"k": 1, "b": "t"})
    canned.answer("/api/v1/logs", page(record("second\nline"), structured))

    result = run("logs", "severity >= warn", "--attributes")

    assert (result.returncode, result.stderr) == (0, b"")
    assert lines(result.stdout) == [
        '2026-11-21 17:04:48.123 -     web              {"a":[1,"x"]}  b=t k=1',
        "2026-11-21 17:04:48.123 warn  web              second\\nline",
    ]
    assert canned.received[0].parameters == {"filter": "severity >= warn", "limit": "100"}


def test_event_without_a_body(canned, run):
    """A record without a body shows its event's name, or where it has none its exception."""
    raised = {"exception.type": "KeyError", "exception.message": "sku"}
    canned.answer(
        "/api/v1/logs",
        page(
            record(None),
            record("", event_name="exception", attributes=raised),
            record(None, event_name="app.started", attributes=raised),
        ),
    )

    assert [line.split(" web ")[1].strip() for line in lines(run("logs").stdout)] == [
        "app.started",
        "KeyError: sku",
        "-",
    ]


def test_pages_are_put_together(canned, run):
    """More records than a page holds come from several pages, still oldest first."""
    canned.answer("/api/v1/logs", page(*[record(index) for index in range(1500, 500, -1)], cursor="c"))
    canned.answer("/api/v1/logs", page(*[record(index) for index in range(500, 0, -1)], cursor="d"))

    result = run("logs", "--limit", "1500", "--format", "ndjson")

    assert [json.loads(line)["body"] for line in lines(result.stdout)] == list(range(1, 1501))


def test_csv(canned, run):
    """In csv a record is a row, with attributes as JSON."""
    canned.answer("/api/v1/logs", page(record("=1+1", attributes={"k": 1})))

    assert lines(run("logs", "--format", "csv").stdout) == [
        "time,severity,service,body,event_name,trace_id,span_id,attributes,resource",
        '2026-11-21T11:34:48.123456789Z,warn,web,\'=1+1,,,,"{""k"":1}",{}',
    ]


def ctrl_c_counts():
    """Undo what a shell does to its background jobs: they ignore SIGINT, and so would the command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_follow(canned, command):
    """Following asks for what came after the newest record, each is printed once, and Ctrl-C ends it with 130."""
    canned.answer("/api/v1/logs", page(record("b"), record("a"), newest="n1"))
    canned.answer("/api/v1/logs", page(record("c"), newest="n2"))
    canned.answer("/api/v1/logs", page())

    with subprocess.Popen(
        [sys.executable, "-m", "spanglass.cli.main", "logs", "x", "--follow", "--format", "ndjson"],
        # Ctrl-C may come while the next connection is opened, which nobody can close then
        env=command | {"PYTHONWARNINGS": "error,ignore::ResourceWarning"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=ctrl_c_counts,  # noqa: PLW1509 - it only sets a signal's default
    ) as process:
        bodies = [json.loads(process.stdout.readline())["body"] for _ in range(3)]
        canned.wait_for(3)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=180)

    assert (bodies, rest, errors, process.returncode) == (["a", "b", "c"], b"", b"", 130)
    assert [request.parameters.get("after") for request in canned.received[:3]] == [None, "n1", "n2"]


def test_a_reader_that_leaves(canned, command):
    """When the reader of a pipe closes it, the command ends quietly."""
    canned.answer("/api/v1/logs", page(*[record("x" * 1000)] * 1000))

    with subprocess.Popen(
        [sys.executable, "-m", "spanglass.cli.main", "logs", "--limit", "1000", "--format", "ndjson"],
        env=command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    assert (errors, process.wait(timeout=180)) == (b"", 0)


def test_lines_around(canned, run):
    """Lines around each hit are shown once, as one group where they touch; hits are marked, the stream is asked for."""
    a, b, c, d, e = (record(name, id=name) for name in "abcde")
    canned.answer("/api/v1/logs", page(e, c, b))
    for name, before, hit, after in (("b", [a], b, [c]), ("c", [b], c, [d]), ("e", [], e, [])):
        canned.answer(f"/api/v1/logs/{name}/around", {"before": before, "log": hit, "after": after})

    result = run("logs", "x", "-C", "1", "--after", "2")

    shown = [line if line == "--" else line[:2] + line.split()[-1] for line in lines(result.stdout)]
    assert (result.returncode, shown) == (0, ["  a", "> b", "> c", "  d", "--", "> e"])
    assert canned.received[1].parameters == {"before": "1", "after": "2", "same": "stream"}
    refused = run("logs", "-C", "1", "--follow")
    assert (refused.returncode, b"leave out --before" in refused.stderr) == (2, True)
    assert b"of at least 0" in run("logs", "-B", "few").stderr
