"""What every issue store must do with sightings, run for each implementation."""

from __future__ import annotations

import itertools

import pytest
from sightings import SERVICE, seen

from spanglass_server.issues.identity import overflow_key
from spanglass_server.issues.model import ActivityKind, EventKind, IssueChange, ReleaseSighting
from spanglass_server.issues.ports import UnknownIssueError
from spanglass_server.issues.states import ResolvedIn, State

RESOLVE = IssueChange(state=State.RESOLVED)


def told(events):
    """Return kinds and issues of events."""
    return [(event.kind, event.issue) for event in events]


def test_a_new_one_is_empty(store):
    """There are no issues, no rules, no events and no releases."""
    snapshot = store.snapshot()

    assert (dict(snapshot.issues), dict(snapshot.by_key), snapshot.version) == ({}, {}, store.version())
    assert (store.rules().rules, store.rules().epoch) == ((), 0)
    assert (store.events(), store.releases(SERVICE), store.due()) == ([], [], [])
    with pytest.raises(UnknownIssueError, match="no issue 'CHECKOUT-1'"):
        store.issue("CHECKOUT-1")


def test_a_new_key_becomes_an_issue(reopen):
    """It has an id, what was seen, an activity entry and an event, also after a restart."""
    events = reopen().observe([seen(7, 100, 150, release="1.0", environment="production")], 200)
    store = reopen()
    issue = store.issue("CHECKOUT-1")
    summary = issue.summary

    assert told(events) == [(EventKind.NEW_ISSUE, "CHECKOUT-1")]
    assert store.events() == events
    assert (events[0].release, events[0].environment, events[0].time_ns) == ("1.0", "production", 200)
    assert (summary.title, summary.type, summary.message) == ("ValueError: 7", "ValueError", "7")
    assert (summary.culprit, summary.assignee, summary.service) == ("Stock.take", "", SERVICE)
    assert (summary.first_seen_ns, summary.first_release, summary.keys) == (100, "1.0", (7,))
    assert (issue.last_seen_ns, issue.last_release) == (150, "1.0")
    assert [(key.key, key.version, key.inputs) for key in issue.keys] == [(7, 1, seen(7).inputs)]
    assert [(entry.kind, entry.actor) for entry in issue.activity] == [(ActivityKind.CREATED, "spanglass")]
    assert dict(store.snapshot().issues) == {"CHECKOUT-1": summary}
    assert dict(store.snapshot().by_key) == {7: summary}


def test_seen_again_it_changes_nothing(reopen):
    """The same batch, in the same process and after a restart, gives no event and no new version."""
    batch = [seen(key, release=f"1.{key}") for key in range(5)]
    store = reopen()
    store.observe(batch, 200)
    version, issue = store.version(), store.issue("CHECKOUT-3")
    again = store.observe(batch, 300), reopen().observe(batch, 400)
    store = reopen()

    assert again == ([], [])
    assert (store.version(), store.issue("CHECKOUT-3")) == (version, issue)


def test_the_version_rises_with_changes_alone(store):
    """A later occurrence leaves the snapshot as it is; an earlier one does not."""
    store.observe([seen(1, 100)], 200)
    snapshot = store.snapshot()
    store.observe([seen(1, 100, 300)], 400)

    assert store.snapshot() is snapshot
    assert store.issue("CHECKOUT-1").last_seen_ns == 300
    store.observe([seen(1, 50)], 400)
    assert store.snapshot().version == store.version() > snapshot.version
    assert store.snapshot().issues["CHECKOUT-1"].first_seen_ns == 50


BATCHES = (
    seen(1, 300, 400, release="1.1", title="late", environment="staging"),
    seen(1, 100, 900, release="1.0", title="early", environment="production"),
    seen(1, 100, 200, release="1.2", title="early, too"),
    seen(1, 500, 600, release=""),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_gives_the_same(store, order):
    """First, last, releases and the description do not depend on which batch came first."""
    for index in order:
        store.observe([BATCHES[index]], 1000)
        store.snapshot()
    issue = store.issue("CHECKOUT-1")

    assert (issue.summary.title, issue.summary.first_seen_ns, issue.summary.first_release) == ("early", 100, "1.0")
    assert (issue.last_seen_ns, issue.last_release) == (900, "1.0")
    assert store.snapshot().issues["CHECKOUT-1"] == issue.summary
    assert [(known.release, known.first_ns, known.last_ns) for known in store.releases(SERVICE)] == [
        ("1.0", 100, 900),
        ("1.1", 300, 400),
        ("1.2", 100, 200),
    ]
    assert [known.environments for known in store.releases(SERVICE)] == [("production",), ("staging",), ()]


def test_ids_are_never_used_twice(reopen):
    """Services that share a prefix share its numbers; numbers go on after a restart, and an id given is avoided."""
    store = reopen()
    store.observe([seen(1, service="a.b"), seen(2, 101, service="a-b"), seen(3, service="ü/!"), seen(4, service="")], 1)
    store.observe([seen(5, service="x" * 40)], 1)
    store.observe([seen(overflow_key("a"), service="a"), seen(6, service="a overflow")], 1)
    store = reopen()
    store.observe([seen(8, service="A B"), seen(overflow_key("a!"), service="a!")], 1)
    ids = {issue.service: issue.id for issue in store.snapshot().issues.values()}

    assert ids == {
        "a.b": "A-B-1",
        "a-b": "A-B-2",
        "A B": "A-B-3",
        "ü/!": "ISSUE-1",
        "": "ISSUE-2",
        "x" * 40: f"{'X' * 24}-1",
        "a": "A-OVERFLOW",
        "a overflow": "A-OVERFLOW-1",
        "a!": "A-OVERFLOW-2",
    }


def test_a_resolved_issue_regresses(store):
    """A later occurrence reopens it once, with an entry and an event; the batch seen again does not."""
    store.observe([seen(1, release="1.0")], 200)
    store.change(["CHECKOUT-1"], RESOLVE, "ann", 300)
    before = store.observe([seen(1, 100, 290, release="1.0")], 310)
    batch = [seen(1, 350, 360, release="1.1", environment="eu")]
    events = store.observe(batch, 400)
    again = store.observe(batch, 410)
    issue = store.issue("CHECKOUT-1")

    assert (before, told(events), again) == ([], [(EventKind.REGRESSION, "CHECKOUT-1")], [])
    assert (events[0].release, events[0].environment, events[0].detail) == ("1.1", "eu", "now 1.0")
    assert issue.summary.status.state is State.REGRESSED
    assert (issue.activity[-1].before, issue.activity[-1].after, issue.activity[-1].detail) == (
        "resolved",
        "regressed",
        "1.1",
    )


def test_an_old_release_that_still_runs_reopens_nothing(store):
    """Releases without errors count: resolved in the next one after 1.1, only 1.2 reopens."""
    store.observe([seen(1, release="1.0")], 200)
    store.observe_releases([ReleaseSighting(SERVICE, "1.1", 150, 160), ReleaseSighting(SERVICE, "", 150, 160)])
    store.change(["CHECKOUT-1"], IssueChange(state=State.RESOLVED, resolved=ResolvedIn.NEXT_RELEASE), "ann", 300)
    old = store.observe([seen(1, 350, release="1.0"), seen(1, 350, release="1.1")], 400)
    new = store.observe([seen(1, 450, release="1.2")], 500)

    assert (old, told(new)) == ([], [(EventKind.REGRESSION, "CHECKOUT-1")])


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("how", [ResolvedIn.NOW, ResolvedIn.NEXT_RELEASE])
def test_any_order_gives_one_state(store, how, order):
    """After a resolution too: batches of old and new releases, before and after it, give one event in every order."""
    store.observe([seen(1, release="1.0"), seen(1, 110, release="1.1")], 200)
    store.change(["CHECKOUT-1"], IssueChange(state=State.RESOLVED, resolved=how), "ann", 300)
    batches = [
        seen(1, 290, release="1.2"),
        seen(1, 310, release="1.0"),
        seen(1, 320, 330, release="1.2"),
        seen(1, 315, release="f00"),
    ]
    events = [event for index in order for event in store.observe([batches[index]], 400)]
    issue = store.issue("CHECKOUT-1")

    assert [event.kind for event in events] == [EventKind.REGRESSION]
    assert (issue.summary.status.state, issue.last_seen_ns, issue.last_release) == (State.REGRESSED, 330, "1.2")


def test_a_clock_ahead_reopens_nothing_twice(store):
    """An occurrence of the future, known when the issue is resolved, does not reopen it when it is seen again."""
    ahead = [seen(1, 5000)]
    store.observe(ahead, 200)
    store.change(["CHECKOUT-1"], RESOLVE, "ann", 300)

    assert store.observe(ahead, 6000) == []
    assert told(store.observe([seen(1, 5001)], 6000)) == [(EventKind.REGRESSION, "CHECKOUT-1")]


class TestRoute:
    """How a service's issues are bounded."""

    def test_a_full_service_overflows(self, reopen):
        """Known and promised keys keep their own, others go to the one overflow issue; other services have room."""
        store = reopen(max_issues=2)
        store.observe([seen(1)], 200)
        routed = [store.route(key, SERVICE) for key in (1, 2, 3, 2, 4)]
        elsewhere = store.route(3, "cart")
        events = store.observe([seen(2), seen(overflow_key(SERVICE), title="whatever")], 300)
        store = reopen(max_issues=2)
        overflow = store.issue("CHECKOUT-OVERFLOW").summary

        assert routed == [1, 2, overflow_key(SERVICE), 2, overflow_key(SERVICE)]
        assert elsewhere == 3
        assert [event.issue for event in events] == ["CHECKOUT-2", "CHECKOUT-OVERFLOW"]
        assert overflow.is_overflow
        assert overflow.title == (
            "Further exceptions of checkout: it has 2 issues, as many as the setting issues.max_issues allows"
        )
        assert [store.route(key, SERVICE) for key in (2, 9)] == [2, overflow_key(SERVICE)]
        assert reopen(max_issues=3).route(9, SERVICE) == 9

    def test_what_is_stored_gets_its_issue(self, reopen):
        """A key that was stored before a crash is taken, although the service filled up meanwhile."""
        store = reopen(max_issues=1)
        store.observe([seen(1), seen(2)], 200)

        assert [issue.keys for issue in store.snapshot().issues.values()] == [(1,), (2,)]
        assert store.route(3, SERVICE) == overflow_key(SERVICE)

    def test_overflow_is_described_once(self, store):
        """Earlier sightings of the overflow issue do not give it the title of one of them."""
        store.observe([seen(overflow_key(SERVICE), 100)], 200)
        store.observe([seen(overflow_key(SERVICE), 50)], 300)

        assert store.issue("CHECKOUT-OVERFLOW").summary.title.startswith("Further exceptions of checkout")
        assert store.issue("CHECKOUT-OVERFLOW").summary.first_seen_ns == 50
