"""What commands say on stderr where nothing is found."""

from __future__ import annotations

import pytest

UNKNOWN = {"unknown": [{"key": "durration", "column": 1, "nearest": ["duration", "duration_ns"]},
                       {"key": "zzz", "column": 20, "nearest": []}]}  # fmt: skip


def test_a_misspelled_key_is_named(canned, run):
    """A filter with keys that no span has says so, with the nearest there are; the exit code stays 0."""
    canned.answer("/api/v1/traces", {"traces": [], "next_cursor": None})
    canned.answer("/api/v1/filter/unknown", UNKNOWN)

    result = run("traces", "durration > 5 and zzz = 1", "--last", "2h")

    assert result.returncode == 0
    assert result.stderr.decode().splitlines() == [
        "spanglass traces: no span matches in the last 2h",
        "  no span has a key durration; did you mean duration or duration_ns?",
        "  no span has a key zzz",
    ]
    assert canned.received[-1].parameters == {"filter": "durration > 5 and zzz = 1", "last": "2h", "signal": "spans"}


@pytest.mark.parametrize(
    ("words", "path", "answer", "said"),
    [
        (["services"], "/services", {"services": []}, "no service is stored in the last hour"),
        (["metrics", "--prefix", "x"], "/metrics", {"metrics": []}, "no metric matches in the last hour"),
        (["logs", "--start", "now-2d"], "/logs", {"logs": [], "next_cursor": None, "newest_cursor": "n"},
         "no log record is stored in this range of time"),
        (["traces", "--format", "ndjson"], "/traces", {"traces": [], "next_cursor": None},
         "no span is stored in the last hour"),
    ],
)  # fmt: skip
def test_an_empty_list_says_what_was_looked_at(canned, run, words, path, answer, said):
    """Every list that is empty says so on stderr, whatever its format, and what to do next."""
    canned.answer(f"/api/v1{path}", answer)
    result = run(*words)
    assert result.returncode == 0
    first, second = result.stderr.decode().splitlines()
    assert first == f"spanglass {words[0]}: {said}"
    assert second.startswith("  look further back with --last 7d")


def test_a_server_that_does_not_know_unknown_keys(canned, run):
    """The hint is left out where the server can't give it; the search was answered all the same."""
    canned.answer("/api/v1/logs", {"logs": [], "next_cursor": None, "newest_cursor": "n"})
    canned.answer("/api/v1/filter/unknown", {"error": {"code": "not_found", "message": "no"}}, 404)
    result = run("logs", "a = 1")
    assert (result.returncode, result.stderr.decode().splitlines()[0]) == (
        0,
        "spanglass logs: no log record matches in the last hour",
    )
