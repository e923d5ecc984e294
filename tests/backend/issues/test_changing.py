"""What every issue store must do with changes of people and counts, run for each implementation."""

from __future__ import annotations

import pytest
from sightings import SERVICE, seen

from spanglass_server.issues.model import ActivityKind, Due, EventKind, IssueChange
from spanglass_server.issues.ports import InvalidChangeError, UnknownIssueError, UnknownRuleError
from spanglass_server.issues.states import (
    Ignore,
    IgnoredCounts,
    IgnoredUntil,
    Resolution,
    ResolvedIn,
    State,
    Status,
)

IN_RELEASE, NEXT = ResolvedIn.RELEASE, ResolvedIn.NEXT_RELEASE
FOR_EVER = IssueChange(state=State.IGNORED)


def ignored(until, limit=None):
    """Make a change to ignored."""
    return IssueChange(state=State.IGNORED, until=until, limit=limit)


@pytest.fixture
def filled(store):
    """Return a store with three issues; 1.1 is the newest release."""
    store.observe([seen(1, release="1.0"), seen(2, 150, release="1.1"), seen(3, 160, release="0.9")], 200)
    return store


def status(store, issue_id="CHECKOUT-1"):
    """Return an issue's status."""
    return store.issue(issue_id).summary.status


@pytest.mark.parametrize(
    ("change", "expected", "detail"),
    [
        (
            IssueChange(state=State.RESOLVED),
            Status(State.RESOLVED, Resolution(ResolvedIn.NOW, 300, "1.1", 300)),
            "now 1.1",
        ),
        (
            IssueChange(state=State.RESOLVED, resolved=NEXT),
            Status(State.RESOLVED, Resolution(NEXT, 300, "1.1", 300)),
            "in_next_release 1.1",
        ),
        (
            IssueChange(state=State.RESOLVED, resolved=IN_RELEASE),
            Status(State.RESOLVED, Resolution(IN_RELEASE, 300, "1.1", 300)),
            "in_release 1.1",
        ),
        (
            IssueChange(state=State.RESOLVED, resolved=IN_RELEASE, release="2.0"),
            Status(State.RESOLVED, Resolution(IN_RELEASE, 300, "2.0", 300)),
            "in_release 2.0",
        ),
        (FOR_EVER, Status(State.IGNORED, ignore=Ignore(IgnoredUntil.FOR_EVER, 300)), "for_ever"),
        (
            ignored(IgnoredUntil.EVENTS, 5),
            Status(State.IGNORED, ignore=Ignore(IgnoredUntil.EVENTS, 300, 5)),
            "until_events 5",
        ),
        (IssueChange(state=State.ONGOING), Status(State.ONGOING), ""),
    ],
)
def test_a_state_is_set(filled, change, expected, detail):
    """Status and activity say how, when and by whom; the same again is no change, unless counts begin anew."""
    filled.change(["CHECKOUT-1"], change, "ann", 300)
    entry = filled.issue("CHECKOUT-1").activity[-1]

    assert status(filled) == expected
    assert (entry.time_ns, entry.actor, entry.kind, entry.before, entry.after, entry.detail) == (
        300,
        "ann",
        ActivityKind.STATE,
        "new",
        expected.state,
        detail,
    )
    version = filled.version()
    filled.change(["CHECKOUT-1"], change, "bob", 400)
    assert (filled.version() == version) is (change.until is not IgnoredUntil.EVENTS)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (IssueChange(state=State.NEW), "state", "becomes new by itself"),
        (IssueChange(state=State.REGRESSED), "state", "becomes regressed by itself"),
        (ignored(IgnoredUntil.TIME), "until", "a time that is yet to come"),
        (ignored(IgnoredUntil.TIME, 300), "until", "a time that is yet to come"),
        (ignored(IgnoredUntil.TIME, 2**63), "until", "a time that is yet to come"),
        (ignored(IgnoredUntil.EVENTS, 0), "until", "until_events needs how many more"),
        (ignored(IgnoredUntil.USERS), "until", "until_users needs how many more"),
        (ignored(IgnoredUntil.ESCALATES, 3), "until", "until_escalates takes no number"),
        (ignored(IgnoredUntil.FOR_EVER, 3), "until", "for_ever takes no number"),
    ],
)
def test_a_change_that_makes_no_sense(filled, change, field, message):
    """It is refused with the field's name, and nothing is changed."""
    version = filled.version()
    with pytest.raises(InvalidChangeError, match=message) as refused:
        filled.change(["CHECKOUT-1"], change, "ann", 300)

    assert (refused.value.field, filled.version()) == (field, version)


def test_resolved_in_a_release_without_releases(store):
    """A service without releases can be resolved now and in the next release, but in none by default."""
    store.observe([seen(1)], 200)
    with pytest.raises(InvalidChangeError, match="no known release"):
        store.change(["CHECKOUT-1"], IssueChange(state=State.RESOLVED, resolved=IN_RELEASE), "ann", 300)
    store.change(["CHECKOUT-1"], IssueChange(state=State.RESOLVED, resolved=NEXT), "ann", 300)

    assert [event.kind for event in store.observe([seen(1, 350)], 400)] == [EventKind.REGRESSION]


def test_many_are_changed_as_one(filled):
    """All of them, or none when one is not known; each once, however often it is named."""
    change = IssueChange(state=State.RESOLVED, assignee=" bob ")
    with pytest.raises(UnknownIssueError, match="CHECKOUT-9"):
        filled.change(["CHECKOUT-1", "CHECKOUT-9"], change, "ann", 300)
    untouched = status(filled)
    filled.change(["CHECKOUT-1", "CHECKOUT-2", "CHECKOUT-1"], change, "ann", 300)
    issues = filled.snapshot().issues.values()

    assert untouched == Status(State.NEW)
    assert [(issue.status.state, issue.assignee) for issue in issues] == [
        (State.RESOLVED, "bob"),
        (State.RESOLVED, "bob"),
        (State.NEW, ""),
    ]
    assert len(filled.issue("CHECKOUT-1").activity) == 3


def test_acting_on_a_new_issue_makes_it_ongoing(filled):
    """An assignee or a comment: it is new no longer. Taking the assignee away is an entry too."""
    filled.change(["CHECKOUT-1"], IssueChange(assignee="ann"), "ann", 300)
    filled.change(["CHECKOUT-1"], IssueChange(assignee=""), "bob", 400)
    comment = filled.comment("CHECKOUT-2", "seen this before", "bob", 500)

    assert [status(filled, f"CHECKOUT-{n}").state for n in (1, 2, 3)] == [State.ONGOING, State.ONGOING, State.NEW]
    assert [(entry.actor, entry.before, entry.after) for entry in filled.issue("CHECKOUT-1").activity[1:]] == [
        ("ann", "", "ann"),
        ("bob", "ann", ""),
    ]
    assert filled.issue("CHECKOUT-2").comments == (comment,)
    assert (comment.issue, comment.actor, comment.text, comment.time_ns) == (
        "CHECKOUT-2",
        "bob",
        "seen this before",
        500,
    )
    with pytest.raises(InvalidChangeError, match="needs a text"):
        filled.comment("CHECKOUT-2", " \n", "bob", 500)


class TestIgnoring:
    """What ends it."""

    def test_what_is_to_be_counted(self, filled):
        """Issues whose condition needs counts are due, with keys and since when; others are not."""
        filled.change(["CHECKOUT-1"], ignored(IgnoredUntil.USERS, 5), "ann", 300)
        filled.change(["CHECKOUT-2"], FOR_EVER, "ann", 300)
        filled.change(["CHECKOUT-3"], ignored(IgnoredUntil.TIME, 900), "ann", 300)

        assert filled.due() == [Due("CHECKOUT-1", (1,), IgnoredUntil.USERS, 300, 5)]

    @pytest.mark.parametrize(
        ("until", "limit", "counts", "kind"),
        [
            (IgnoredUntil.EVENTS, 10, IgnoredCounts(300, events=10), EventKind.UNIGNORED),
            (IgnoredUntil.USERS, 10, IgnoredCounts(300, users=10), EventKind.UNIGNORED),
            (IgnoredUntil.ESCALATES, None, IgnoredCounts(300, hours_before=(3,), this_hour=90), EventKind.ESCALATION),
            (IgnoredUntil.TIME, 900, None, EventKind.UNIGNORED),
        ],
    )
    def test_a_condition_is_met(self, filled, until, limit, counts, kind):
        """The issue is ongoing, with an entry and an event, once."""
        filled.change(["CHECKOUT-1"], ignored(until, limit), "ann", 300)
        counted = {"CHECKOUT-1": counts} if counts else {}
        early = filled.apply_counts({"CHECKOUT-1": IgnoredCounts(299, 10, 10, (3,), 90)}, 899)
        events = filled.apply_counts(counted, 900)
        again = filled.apply_counts(counted, 1000)

        assert (early, [event.kind for event in events], again) == ([], [kind], [])
        assert filled.events()[-1:] == events
        assert status(filled) == Status(State.ONGOING)
        assert filled.issue("CHECKOUT-1").activity[-1].actor == "spanglass"

    def test_an_occurrence_alone_ends_nothing(self, filled):
        """Ignored is ignored, and unknown issues in counts are left out."""
        filled.change(["CHECKOUT-1"], FOR_EVER, "ann", 300)

        assert filled.observe([seen(1, 900)], 1000) == []
        assert filled.apply_counts({"CHECKOUT-1": IgnoredCounts(300, 99, 99), "X-1": IgnoredCounts(0)}, 10**18) == []


def test_rules_are_kept_with_an_epoch(reopen):
    """Each change raises the epoch; a deleted rule is gone from the list, and its id is not used again."""
    store = reopen()
    first = store.add_rule({"match": {"type": "Ä*"}, "action": {"join": "x"}}, "ann", 100)
    second = store.add_rule({"service": SERVICE}, "bob", 200)
    store.delete_rule(second.id, "ann", 300)
    third = store.add_rule({}, "bob", 400)
    store = reopen()

    assert store.rules().epoch == 4
    assert store.rules().rules == (first, third)
    assert first.body == {"match": {"type": "Ä*"}, "action": {"join": "x"}}
    assert len({first.id, second.id, third.id}) == 3
    for gone in (second.id, 99, 2**70):
        with pytest.raises(UnknownRuleError, match=f"no grouping rule {gone}"):
            store.delete_rule(gone, "ann", 500)


def test_events_are_read_from_a_cursor(filled):
    """After an id, oldest first, at most as many as asked for."""
    events = filled.events()

    assert [event.issue for event in events] == ["CHECKOUT-1", "CHECKOUT-2", "CHECKOUT-3"]
    assert filled.events(after=events[0].id, limit=1) == [events[1]]
    assert filled.events(after=events[-1].id) == []
