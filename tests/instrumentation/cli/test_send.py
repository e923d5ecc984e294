"""send: files of OTLP/JSON, what is posted, and what is said about it."""

from __future__ import annotations

import gzip
import json

import pytest

SPANS = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a"}, {"name": "b"}]}]}]}
LOGS = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"intValue": "9007199254740993"}}]}]}]}
METRICS = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}


TOKENS = {"SPANGLASS_INGEST_TOKEN": "secret", "SPANGLASS_READ_TOKEN": "other"}


def json_lines(*requests):
    return b"".join(json.dumps(request).encode() + b"\n" for request in requests)


@pytest.fixture
def receiver(canned):
    """Run a server that takes everything."""
    for path in ("/v1/traces", "/v1/logs", "/v1/metrics"):
        canned.answer(path, {})
    return canned


def posted(canned):
    return [(request.path, json.loads(request.body)) for request in canned.received]


EACH = [("/v1/traces", SPANS), ("/v1/logs", LOGS), ("/v1/metrics", METRICS)]
SAID = b"sent 2 spans, 1 log record, 1 metric\n"


def test_json_lines(receiver, run, tmp_path):
    """Each line of the Collector's file exporter is posted to its signal's path as it was written."""
    file = tmp_path / "out.jsonl"
    file.write_bytes(json_lines(SPANS) + b"\n" + json_lines(LOGS, METRICS))

    result = run("send", str(file), **TOKENS)

    assert (result.returncode, result.stdout, result.stderr) == (0, SAID, b"")
    assert posted(receiver) == EACH
    assert {(request.headers["content-type"], request.headers["authorization"]) for request in receiver.received} == {
        ("application/json", "Bearer secret")
    }


def test_gzip(receiver, run, tmp_path):
    """A gzipped file is known by its first bytes, whatever its name."""
    file = tmp_path / "out"
    file.write_bytes(gzip.compress(json_lines(SPANS, LOGS, METRICS)))

    assert run("send", str(file)).stdout == SAID
    assert posted(receiver) == EACH


def test_one_object_over_many_lines_with_all_signals(receiver, run):
    """One indented object with several signals becomes a request for each; ``-`` reads standard input."""
    result = run("send", "-", stdin=json.dumps(SPANS | LOGS | METRICS, indent=2).encode())

    assert (result.returncode, result.stdout) == (0, SAID)
    assert posted(receiver) == EACH


def test_partial_success(canned, run, tmp_path):
    """What the server left out is told with its reason and is exit code 4; a warning alone is told and fine."""
    canned.answer("/v1/traces", {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no name\x1b[0m"}})
    canned.answer("/v1/logs", {"partialSuccess": {"errorMessage": "old clock"}})
    file = tmp_path / "f.json"
    file.write_bytes(json_lines(SPANS, LOGS))

    result = run("send", str(file))

    assert result.returncode == 4
    assert result.stdout == b"sent 2 spans, 1 log record; 1 left out by the server\n"
    assert result.stderr.decode() == (
        f"spanglass send: {file}:1: 1 left out: no name\\x1b[0m\nspanglass send: {file}:2: a warning: old clock\n"
    )


def test_retry(canned, run):
    """A server that is overloaded is asked again after the time it names."""
    canned.answer("/v1/traces", {"code": 14, "message": "busy"}, status=503, headers={"Retry-After": "0"})
    canned.answer("/v1/traces", {"code": 8, "message": "slow down"}, status=429, headers={"Retry-After": "0"})
    canned.answer("/v1/traces", {})

    result = run("send", "-", stdin=json_lines(SPANS))

    assert (result.returncode, result.stdout, len(canned.received)) == (0, b"sent 2 spans\n", 3)


def test_retry_ends(canned, run):
    """When the time for retries is over, the last refusal is the error."""
    canned.answer("/v1/traces", {"code": 14, "message": "the disk is full"}, status=503, headers={"Retry-After": "9"})

    result = run("send", "-", "--retry-for", "1", stdin=json_lines(SPANS))

    assert (result.returncode, len(canned.received)) == (1, 1)
    assert result.stderr == b"spanglass send: -:1: the server refused it (503): the disk is full\n"


def test_refused_for_good(canned, run):
    """A refusal that no retry can change is told at once, and a wrong token says where the right one goes."""
    canned.answer("/v1/traces", {"code": 16, "message": "the token is wrong"}, status=401)

    result = run("send", "-", stdin=json_lines(SPANS))

    assert (result.returncode, len(canned.received)) == (1, 1)
    assert result.stderr.decode() == (
        "spanglass send: -:1: the server refused it (401): the token is wrong\n"
        "  give the server's token with --token, or in SPANGLASS_INGEST_TOKEN\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "FILE: not JSON: Expecting value: line 1 column 1 (char 0)"),
        (
            b'{"a": 1}',
            "FILE:1: not OTLP/JSON: there is none of resourceSpans, resourceLogs, resourceMetrics at the top",
        ),
        (json_lines(SPANS) + b"{", "FILE:2: not JSON: Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "FILE: not JSON: maximum recursion depth exceeded"),
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "FILE can't be read: Compressed file ended"),
    ],
)
def test_files_that_are_no_otlp(run, receiver, tmp_path, content, message):
    """What is no OTLP/JSON is refused with the file and line, on one line."""
    file = tmp_path / "f"
    file.write_bytes(content)

    result = run("send", str(file))

    assert result.returncode == 1
    assert result.stderr.decode().startswith("spanglass send: " + message.replace("FILE", str(file)))
    assert len(receiver.received) == content.count(b"resourceSpans")


def test_no_such_file(run):
    """A missing file is one clear line."""
    result = run("send", "nowhere.json")

    assert (result.returncode, result.stderr) == (
        1,
        b"spanglass send: nowhere.json can't be read: No such file or directory\n",
    )
