"""The rules of docs/issues.md, one row each."""

from __future__ import annotations

import pytest

from spanglass_server.issues.releases import Releases
from spanglass_server.issues.states import (
    NEW_FOR_NS,
    Ignore,
    IgnoredCounts,
    IgnoredUntil,
    Resolution,
    ResolvedIn,
    State,
    ignoring_ends,
    regresses,
    shown_state,
)

NOW, NAMED, NEXT = ResolvedIn.NOW, ResolvedIn.RELEASE, ResolvedIn.NEXT_RELEASE
RELEASES = Releases({"1.0": 10, "1.1": 20, "1.2": 30, "1.3": 150})


@pytest.mark.parametrize(
    ("state", "age_ns", "shown"),
    [
        (State.NEW, 0, State.NEW),
        (State.NEW, NEW_FOR_NS - 1, State.NEW),
        (State.NEW, NEW_FOR_NS, State.ONGOING),
        (State.NEW, -5, State.NEW),
        (State.ONGOING, 0, State.ONGOING),
        (State.REGRESSED, NEW_FOR_NS, State.REGRESSED),
        (State.RESOLVED, NEW_FOR_NS, State.RESOLVED),
        (State.IGNORED, 0, State.IGNORED),
    ],
)
def test_a_new_issue_becomes_ongoing_with_age(state, age_ns, shown):
    """For seven days from its first occurrence an issue is new; no other state changes with time."""
    assert shown_state(state, 1000, 1000 + age_ns) is shown


@pytest.mark.parametrize(
    ("how", "resolved_release", "last_ns", "release", "reopens"),
    [
        # not later than the resolution
        (NOW, "1.2", 99, "1.3", False),
        (NOW, "1.2", 100, "1.3", False),
        (NAMED, "1.2", 100, "1.2", False),
        (NEXT, "1.2", 100, "1.3", False),
        # now: any release but an older one than the newest known
        (NOW, "1.2", 101, "1.3", True),
        (NOW, "1.2", 101, "1.2", True),
        (NOW, "1.2", 101, "1.1", False),
        (NOW, "1.2", 101, "", True),
        (NOW, "", 101, "", True),
        (NOW, "", 101, "1.0", True),
        # in a release: that one and newer ones
        (NAMED, "1.2", 101, "1.2", True),
        (NAMED, "1.2", 101, "1.3", True),
        (NAMED, "1.2", 101, "1.1", False),
        (NAMED, "1.2", 101, "", False),
        (NAMED, "2.0", 101, "1.3", False),
        (NAMED, "2.0", 101, "2.0", True),
        (NAMED, "blue", 101, "1.3", False),
        # in the next release: newer ones than the newest known
        (NEXT, "1.2", 101, "1.3", True),
        (NEXT, "1.2", 101, "1.2", False),
        (NEXT, "1.2", 101, "1.1", False),
        (NEXT, "1.2", 101, "", False),
        (NEXT, "", 101, "1.0", True),
        (NEXT, "", 101, "", True),
    ],
)
def test_what_reopens_a_resolved_issue(how, resolved_release, last_ns, release, reopens):
    """An occurrence after the resolution reopens, unless its release is older than the one it was resolved in."""
    resolution = Resolution(how, 100, resolved_release, after_ns=100)

    assert regresses(resolution, last_ns, release, RELEASES) is reopens


BUSY = IgnoredCounts(100, events=50, users=7, hours_before=(3, 4, 5), this_hour=40)


@pytest.mark.parametrize(
    ("until", "limit", "counts", "now_ns", "ends"),
    [
        (IgnoredUntil.FOR_EVER, None, BUSY, 10**18, False),
        (IgnoredUntil.TIME, 500, None, 499, False),
        (IgnoredUntil.TIME, 500, None, 500, True),
        (IgnoredUntil.EVENTS, 50, BUSY, 200, True),
        (IgnoredUntil.EVENTS, 51, BUSY, 200, False),
        (IgnoredUntil.EVENTS, 1, None, 200, False),
        (IgnoredUntil.USERS, 7, BUSY, 200, True),
        (IgnoredUntil.USERS, 8, BUSY, 200, False),
        (IgnoredUntil.ESCALATES, None, BUSY, 200, True),
        (IgnoredUntil.ESCALATES, None, IgnoredCounts(100, hours_before=(30,), this_hour=40), 200, False),
        (IgnoredUntil.EVENTS, 1, IgnoredCounts(99, events=50), 200, False),
    ],
)
def test_what_ends_ignoring(until, limit, counts, now_ns, ends):
    """Each condition ends by its own measure alone; counts for an earlier ignoring of the issue are left out."""
    assert ignoring_ends(Ignore(until, 100, limit), counts, now_ns) is ends
