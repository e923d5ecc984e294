"""One issue: its figures in the range, its releases, why it is grouped, and what was done about it."""

from __future__ import annotations

import pytest
from known_occurrences import NOW_NS, WINDOW, at

from spanglass_server.issues.model import IssueChange
from spanglass_server.issues.states import IgnoredUntil, ResolvedIn, State
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.issues.one import show_issue
from spanglass_server.times import format_time


def show(world, issue_id):
    """Ask about one issue."""
    return show_issue(world.session(), world.issues, issue_id, WINDOW, NOW_NS, 10)


def test_an_issue(world):
    """The page of an issue has figures of the range, releases newest first, and the inputs of each key."""
    world.see(1, -5, release="0.9")
    world.see(1, 10, 2, release="1.0", user="ann")
    world.see(1, 20, release="1.1", user="bob")
    world.see(2, 30, release="1.1")

    issue = show(world, "shop-1")

    assert (issue["id"], issue["events"], issue["users"]) == ("SHOP-1", 3, 2)
    assert issue["first_seen_time"] == format_time(at(-5))
    assert issue["last_seen_time"] == issue["latest_time"] == format_time(at(20))
    assert [(release["release"], release["events"]) for release in issue["releases"]] == [("1.1", 1), ("1.0", 2)]
    assert issue["release_marks"] == [
        {"release": "1.0", "time": format_time(at(10))},
        {"release": "1.1", "time": format_time(at(20))},
    ]
    assert issue["fingerprint"] == {
        "version": 1,
        "keys": [
            {
                "key": "0000000000000001",
                "issue": "SHOP-1",
                "version": 1,
                "events": 3,
                "inputs": [
                    {"kind": "service", "value": "shop"},
                    {"kind": "type", "value": "ValueError"},
                    {"kind": "frame", "value": "shop.f1"},
                ],
            }
        ],
    }
    assert sum(issue["series"]) == 3


def test_an_issue_that_did_not_occur_in_the_range(world):
    """Its figures are zero, and when it was seen last is told."""
    world.see(1, -5)

    issue = show(world, "SHOP-1")

    assert (issue["events"], issue["last_seen_time"], issue["latest_time"]) == (0, None, format_time(at(-5)))
    assert set(issue["series"]) == {0}


def test_what_was_done(world):
    """Activity, comments, merges, resolution and ignoring are told with who and when."""
    world.see(1, 1, release="1.0")
    world.see(-2, 2)
    first, second = world.id_of(1), world.id_of(-2)
    world.store.comment(first, "look", "ann", NOW_NS)
    world.store.merge([second], first, "bob", NOW_NS)
    in_next = IssueChange(state=State.RESOLVED, resolved=ResolvedIn.NEXT_RELEASE)
    world.store.change([first], in_next, "cay", NOW_NS)

    issue = show(world, second)

    assert issue["id"] == first
    assert [key["key"] for key in issue["fingerprint"]["keys"]] == ["fffffffffffffffe", "0000000000000001"]
    assert [(entry["who"], entry["what"]) for entry in issue["activity"] if entry["who"] != "spanglass"] == [
        ("ann", "comment"),
        ("bob", "merged"),
        ("cay", "state"),
    ]
    assert [(comment["who"], comment["text"]) for comment in issue["comments"]] == [("ann", "look")]
    assert [(merge["issue"], merge["into"], merge["who"]) for merge in issue["merged"]] == [(second, first, "bob")]
    assert issue["resolution"] == {"how": "in_next_release", "release": "1.0", "time": format_time(NOW_NS)}
    assert (issue["state"], issue["substate"]) == ("resolved", "in_next_release 1.0")

    until = IssueChange(state=State.IGNORED, until=IgnoredUntil.TIME, limit=NOW_NS + 1)
    world.store.change([first], until, "cay", NOW_NS)
    issue = show(world, first)
    assert (issue["ignore"]["until"], issue["ignore"]["limit"]) == ("until_time", format_time(NOW_NS + 1))
    assert issue["substate"] == f"until_time {format_time(NOW_NS + 1)}"


def test_similar_issues(world):
    """Issues that share frames, culprit or message look alike, the most alike first; the type alone is too little."""
    world.see(1, 1, message="stock of pears ran out", culprit="shop.take")
    world.see(2, 2, message="stock of apples ran out", culprit="shop.take", type="StockError")
    world.see(3, 3, message="stock of pears ran out twice", culprit="shop.take")
    world.see(4, 4, message="timeout", culprit="shop.wait")

    similar = show(world, world.id_of(1))["similar"]

    assert [(other["id"], other["shared"]) for other in similar] == [
        (world.id_of(3), ["frames", "culprit", "message", "type"]),
        (world.id_of(2), ["frames", "culprit", "message"]),
    ]


def test_no_such_issue(world):
    """An id of no issue is not found, and the error says where the ids are."""
    with pytest.raises(BadQuestionError, match="no issue 'SHOP-9'") as refused:
        show(world, "SHOP-9")

    assert (refused.value.code, refused.value.field) == ("not_found", "issue")
