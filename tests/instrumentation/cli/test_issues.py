"""issues, issue and releases: what is asked of the API, what is changed, and what is printed."""

from __future__ import annotations

import json

import pytest

TIME = "2026-11-21T11:34:48.123456789Z"
ISSUE = {
    "id": "SHOP-1",
    "title": "ValueError: no \x1b[2J stock",
    "state": "resolved",
    "substate": "in_release 1.4",
    "assignee": "ann",
    "service": "shop",
    "culprit": "shop.take",
    "events": 1200,
    "users": 7,
    "series": [0, 3, 1],
    "first_seen_time": TIME,
    "last_seen_time": TIME,
    "latest_time": TIME,
    "fingerprint": {
        "version": 1,
        "keys": [
            {
                "key": "00ff",
                "issue": "SHOP-1",
                "events": 5,
                "inputs": [{"kind": "type", "value": "ValueError"}, {"kind": "frame", "value": "shop.take"}],
            }
        ],
    },
    "activity": [{"time": TIME, "who": "ann", "what": "state", "from": "new", "to": "resolved", "detail": "now"}],
    "comments": [{"time": TIME, "who": "bob", "text": "look"}],
    "similar": [{"id": "SHOP-2", "title": "KeyError"}],
    "merged": [{"merge": 4, "issue": "SHOP-3"}],
}


def lines(result):
    """Split what a command printed."""
    return [line.rstrip() for line in result.stdout.decode().splitlines()]


def body(canned):
    """Return the last request: its method and path, and its body without who did it."""
    last = canned.received[-1]
    return last.method, last.path, {key: item for key, item in json.loads(last.body).items() if key != "actor"}


def test_issues_table(canned, run):
    """The table has state, counts, times in the machine's zone and the title; all options reach the API."""
    canned.answer("/api/v1/issues", {"issues": [ISSUE], "next_cursor": None})

    result = run(
        *("issues", "type:ValueError", "--state", "all", "--service", "shop", "--assignee", "ann"),
        *("--sort", "events", "--reverse", "--last", "2h"),
    )

    assert (result.returncode, result.stderr) == (0, b"")
    heading, row = lines(result)
    assert heading.split()[:4] == ["issue", "state", "events", "users"]
    assert row.split()[:4] == ["SHOP-1", "resolved", "1,200", "7"]
    assert row.endswith(r"ann       ValueError: no \x1b[2J stock")
    assert "2026-11-21 17:04:48.123" in row
    assert canned.received[0].parameters == {
        "filter": "type:ValueError",
        "state": "all",
        "service": "shop",
        "assignee": "ann",
        "sort": "events",
        "order": "asc",
        "last": "2h",
        "limit": "20",
    }


def test_issues_ndjson_is_the_api(canned, run):
    """Each line of ndjson is the API's object, whole."""
    canned.answer("/api/v1/issues", {"issues": [ISSUE], "next_cursor": None})

    assert [json.loads(line) for line in lines(run("issues", "--format", "ndjson"))] == [ISSUE]


def test_regroup_waits(canned, run):
    """Regrouping is begun, waited for with how far it is, and what it did is said; an early end is a failure."""
    progress = {"is_running": True, "done": 5, "total": 10, "moved": 0, "error": None}
    canned.answer("/api/v1/issues/regroup", progress)
    canned.answer("/api/v1/issues/regroup", {**progress, "is_running": False, "moved": 3})

    result = run("issues", "regroup")

    assert (result.returncode, result.stdout.decode()) == (0, "regrouped: 3 of 10 occurrences have another group now\n")
    assert result.stderr.decode() == "regrouping: 5 of 10\n"
    assert [request.method for request in canned.received] == ["POST", "GET"]

    canned.answers.clear()
    canned.answer("/api/v1/issues/regroup", {**progress, "is_running": False, "error": "the disk is full"})
    failed = run("issues", "regroup")
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert b"the disk is full" in failed.stderr


def test_issue(canned, run):
    """One issue is shown with stack, inputs, what stands out, activity, comments and the address of its page."""
    stack = "Traceback\n" + "\n".join(f"line {number}" for number in range(70))
    latest = {"id": "1-1", "time": TIME, "trace_id": "ab", "exception": {"stacktrace": stack}}
    shares = [{"key": "customer", "values": [{"value": "acme", "share": 0.9, "baseline_share": 0.1}]}]
    canned.answer("/api/v1/issues/SHOP-1", ISSUE)
    canned.answer("/api/v1/issues/SHOP-1/attributes", {"attributes": shares})
    canned.answer("/api/v1/issues/SHOP-1/occurrences", {"occurrences": [{"id": "1-1"}]})
    canned.answer("/api/v1/issues/SHOP-1/occurrences/1-1", latest)

    result = run("issue", "SHOP-1", "--last", "2h")

    assert (result.returncode, result.stderr) == (0, b"")
    shown = lines(result)
    assert shown[0] == r"SHOP-1 ValueError: no \x1b[2J stock"
    assert shown[1] == "resolved (in_release 1.4), assigned to ann, in shop, shop.take"
    assert shown[2].startswith("1,200 events of 7 users in the range; first seen 2026-11-21 17:04:48.123")
    assert "  ... 11 lines" in shown
    assert "  line 69" in shown
    assert "  frame    shop.take" in shown
    assert "  customer: acme 90% (else 10%)" in shown
    assert "  2026-11-21 17:04:48.123 ann: state new -> resolved now" in shown
    assert "  2026-11-21 17:04:48.123 bob: look" in shown
    assert shown[-1] == f"{canned.url}/issues/SHOP-1"


@pytest.mark.parametrize(
    ("words", "change"),
    [
        (["resolve", "SHOP-1"], {"ids": ["SHOP-1"], "state": "resolved"}),
        (["resolve", "A-1", "A-2", "--release", "1"], {"ids": ["A-1", "A-2"], "state": "resolved", "release": "1"}),
        (
            ["resolve", "SHOP-1", "--next-release"],
            {"ids": ["SHOP-1"], "state": "resolved", "resolution": "in_next_release"},
        ),
        (["ignore", "SHOP-1"], {"ids": ["SHOP-1"], "state": "ignored"}),
        (
            ["ignore", "SHOP-1", "--until", "now+2h"],
            {"ids": ["SHOP-1"], "state": "ignored", "until": {"time": "now+2h"}},
        ),
        (["ignore", "SHOP-1", "--events", "9"], {"ids": ["SHOP-1"], "state": "ignored", "until": {"events": 9}}),
        (["ignore", "SHOP-1", "--users", "9"], {"ids": ["SHOP-1"], "state": "ignored", "until": {"users": 9}}),
        (["ignore", "SHOP-1", "--escalates"], {"ids": ["SHOP-1"], "state": "ignored", "until": {"escalates": True}}),
        (["reopen", "SHOP-1"], {"ids": ["SHOP-1"], "state": "ongoing"}),
        (["assign", "SHOP-1", "--to", "ann"], {"ids": ["SHOP-1"], "assignee": "ann"}),
        (["assign", "SHOP-1", "--to", ""], {"ids": ["SHOP-1"], "assignee": ""}),
    ],
)
def test_changes(canned, run, words, change):
    """Each action is one request, with who does it, and the issues are printed as they are then."""
    canned.answer("/api/v1/issues", {"issues": [ISSUE]})

    result = run("issue", *words, "--as", "cay")

    assert (result.returncode, result.stderr) == (0, b"")
    assert body(canned) == ("PATCH", "/api/v1/issues", change)
    assert json.loads(canned.received[-1].body)["actor"] == "cay"
    assert lines(result)[1].split()[:2] == ["SHOP-1", "resolved"]


def test_comment_and_merge(canned, run):
    """A comment goes to the issue, a merge names the issue that stays, and unmerging finds the merge of the other."""
    canned.answer("/api/v1/issues/SHOP-1/comments", {})
    canned.answer("/api/v1/issues/SHOP-1", ISSUE)
    canned.answer("/api/v1/issues/merge", {"issue": ISSUE, "merges": []})
    canned.answer("/api/v1/issues/unmerge", {"issues": [ISSUE]})

    assert run("issue", "comment", "SHOP-1", "look here").returncode == 0
    assert json.loads(canned.received[0].body)["text"] == "look here"
    assert run("issue", "merge", "SHOP-3", "--into", "SHOP-1").returncode == 0
    assert body(canned) == ("POST", "/api/v1/issues/merge", {"ids": ["SHOP-3"], "into": "SHOP-1"})
    assert run("issue", "unmerge", "SHOP-1", "shop-3").returncode == 0
    assert body(canned) == ("POST", "/api/v1/issues/unmerge", {"id": "SHOP-1", "merge": 4})
    refused = run("issue", "unmerge", "SHOP-1", "SHOP-9")
    assert (refused.returncode, b"merged into it: SHOP-3" in refused.stderr) == (3, True)


def test_errors_name_the_field(canned, run):
    """An error of the API names the field; an issue that is not there has an exit code of its own."""
    error = {"error": {"code": "not_found", "message": "there is no issue 'X-1'", "field": "issue", "hint": "list"}}
    canned.answer("/api/v1/issues/X-1", error, 404)

    result = run("issue", "X-1")

    assert (result.returncode, b"no issue 'X-1'" in result.stderr) == (3, True)


def test_releases(canned, run):
    """Releases are a table with the share of the release before."""
    release = {
        "service": "shop",
        "release": "1.4",
        "first_seen_time": TIME,
        "new_issues": 1,
        "regressed_issues": 0,
        "resolved_issues": 2,
        "requests": 1000,
        "crash_free_share": 0.9875,
        "crash_free_share_before": None,
    }
    canned.answer("/api/v1/releases", {"releases": [release]})

    result = run("releases", "shop", "--last", "7d")

    assert lines(result)[1].split() == [
        *("shop", "1.4", "2026-11-21", "17:04:48.123", "1", "0", "2", "1,000", "98.8%", "-")
    ]
    assert canned.received[0].parameters == {"service": "shop", "last": "7d", "limit": "10"}
