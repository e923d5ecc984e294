"""What every issue store must do with merges and regrouping, run for each implementation."""

from __future__ import annotations

import itertools

import pytest
from sightings import SERVICE, seen

from spanglass_server.issues.identity import overflow_key
from spanglass_server.issues.model import ActivityKind, EventKind, IssueChange, Move
from spanglass_server.issues.ports import InvalidChangeError, UnknownIssueError
from spanglass_server.issues.states import State

A, B, C, D = (f"CHECKOUT-{number}" for number in (1, 2, 3, 4))
RESOLVE = IssueChange(state=State.RESOLVED)


@pytest.fixture
def filled(store):
    """Return a store with the issues A to D of the keys 1 to 4, each with a state and an assignee of its own."""
    store.observe([seen(key, 100 - key, 200 + key) for key in (4, 3, 2, 1)], 300)
    store.observe([seen(key, 100 + key) for key in (1, 2, 3, 4)], 300)
    by_key = store.snapshot().by_key
    assert [by_key[key].id for key in (4, 3, 2, 1)] == [A, B, C, D]
    return store


def held(store):
    """Return the keys of each issue that stands."""
    return {issue.id: issue.keys for issue in store.snapshot().issues.values()}


def test_merged_issues_are_one(filled):
    """The target keeps id, state and assignee, and has the keys, comments, activity and first and last of all."""
    filled.change([A], RESOLVE, "ann", 400)
    filled.comment(A, "of A", "ann", 500)
    filled.comment(B, "of B", "bob", 600)
    (merge,) = filled.merge([A, B], B, "ann", 700)
    issue = filled.issue(B)

    assert held(filled) == {B: (3, 4), C: (2,), D: (1,)}
    assert (merge.issue, merge.into, merge.time_ns, merge.actor) == (A, B, 700, "ann")
    assert issue.merges == (merge,)
    assert issue.summary.status.state is State.ONGOING
    assert (issue.summary.first_seen_ns, issue.last_seen_ns) == (96, 204)
    assert [(comment.issue, comment.text) for comment in issue.comments] == [(A, "of A"), (B, "of B")]
    assert [(key.key, key.issue) for key in issue.keys] == [(3, B), (4, A)]
    merged = [(entry.before, entry.after) for entry in issue.activity if entry.kind is ActivityKind.MERGED]
    assert merged == [(A, B)]
    assert filled.issue(A) == issue, "the old id leads to the issue that stands for it"


def test_an_undone_merge_gives_back_what_there_was(filled):
    """State, assignee and comments stay with the issue they were made on; the merge is in both logs."""
    filled.change([A], IssueChange(state=State.RESOLVED, assignee="ann"), "ann", 400)
    before = filled.issue(A), filled.issue(B)
    (merge,) = filled.merge([A], B, "ann", 500)
    filled.change([A], IssueChange(assignee="bob"), "bob", 600)
    filled.comment(A, "made while merged", "bob", 600)
    filled.unmerge([merge.id, merge.id], "bob", 700)
    filled.unmerge([merge.id], "bob", 800)
    first, second = filled.issue(A), filled.issue(B)

    assert (first.summary, first.keys, first.comments, first.merges) == (before[0].summary, before[0].keys, (), ())
    assert (second.summary.assignee, second.summary.keys) == ("bob", (3,))
    assert [comment.text for comment in second.comments] == ["made while merged"]
    for issue in (first, second):
        kinds = [entry.kind for entry in issue.activity]
        assert (kinds.count(ActivityKind.MERGED), kinds.count(ActivityKind.UNMERGED)) == (1, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_chains_are_undone_in_any_order(filled, order):
    """A into B, B into C, C into D: each undoing parts what that merge joined, and in the end all are themselves."""
    merges = [filled.merge([source], target, "ann", 400)[0].id for source, target in ((A, B), (B, C), (C, D))]
    assert held(filled) == {D: (1, 2, 3, 4)}
    expected = {0: {A: (4,), D: (1, 2, 3)}, 1: {B: (3, 4), D: (1, 2)}, 2: {C: (2, 3, 4), D: (1,)}}
    filled.unmerge([merges[order[0]]], "ann", 500)
    assert held(filled) == expected[order[0]]
    filled.unmerge([merges[order[1]]], "ann", 500)
    filled.unmerge([merges[order[2]]], "ann", 500)

    assert held(filled) == {A: (4,), B: (3,), C: (2,), D: (1,)}


def test_keys_are_taken_out(filled):
    """The merge that brought a key is undone, with all it brought; an issue's own key stays."""
    filled.merge([A], B, "ann", 400)
    filled.merge([B, D], C, "ann", 500)
    with pytest.raises(InvalidChangeError, match=f"the key 2 is {C}'s own"):
        filled.unmerge_keys(C, [1, 2], "ann", 600)
    for stranger in (99, 2**80):
        with pytest.raises(InvalidChangeError, match=f"{C} has no key {stranger}"):
            filled.unmerge_keys(C, [stranger], "ann", 600)
    assert held(filled) == {C: (1, 2, 3, 4)}
    filled.unmerge_keys(C, [3], "ann", 600)

    assert held(filled) == {B: (3, 4), C: (1, 2)}


def test_what_can_not_be_merged(filled):
    """Issues of two services, unknown ids and unknown merges are refused; what is one already is left out."""
    filled.observe([seen(9, service="cart")], 400)
    version = filled.version()
    with pytest.raises(InvalidChangeError, match="CART-1 is of the service 'cart'"):
        filled.merge([A, "CART-1"], B, "ann", 500)
    with pytest.raises(UnknownIssueError, match="X-1"):
        filled.merge(["X-1"], B, "ann", 500)
    with pytest.raises(UnknownIssueError, match="X-1"):
        filled.merge([A], "X-1", "ann", 500)
    for unknown in (77, 2**80):
        with pytest.raises(InvalidChangeError, match=f"no merge {unknown}"):
            filled.unmerge([unknown], "ann", 500)
    assert filled.merge([B], B, "ann", 500) == []
    assert filled.version() == version
    filled.merge([A], B, "ann", 500)
    assert filled.merge([A, B], A, "ann", 500) == []


def test_the_merged_issue_regresses(filled):
    """An occurrence of any of its keys reopens the issue that stands; the one within it stays as it was."""
    filled.change([A, B], RESOLVE, "ann", 400)
    (merge,) = filled.merge([A], B, "ann", 500)
    events = filled.observe([seen(4, 600), seen(3, 610)], 700)
    filled.unmerge([merge.id], "ann", 800)

    assert [(event.kind, event.issue) for event in events] == [(EventKind.REGRESSION, B)]
    assert [filled.issue(name).summary.status.state for name in (A, B)] == [State.RESOLVED, State.REGRESSED]


def test_what_was_known_reopens_nothing(filled):
    """Occurrences known before a merge, or before it was undone, do not reopen the issue that has them then."""
    filled.change([B], RESOLVE, "ann", 400)
    batch = [seen(4, 450)]
    filled.observe(batch, 460)
    (merge,) = filled.merge([A], B, "ann", 500)
    assert filled.observe(batch, 510) == []
    filled.unmerge([merge.id], "ann", 520)
    filled.change([A], RESOLVE, "ann", 530)
    (merge,) = filled.merge([A], C, "ann", 540)
    batch = [seen(4, 550)]
    filled.observe(batch, 560)
    filled.unmerge([merge.id], "ann", 570)

    assert filled.observe(batch, 580) == []
    assert [event.issue for event in filled.observe([seen(4, 551)], 590)] == [A]


def test_ignoring_waits_while_merged(filled):
    """The condition of an issue within another is not looked at before it stands again."""
    filled.change([A], IssueChange(state=State.IGNORED), "ann", 400)
    (merge,) = filled.merge([A], B, "ann", 500)
    assert filled.due() == []
    filled.unmerge([merge.id], "ann", 600)

    assert filled.issue(A).summary.status.state is State.IGNORED


class TestCarry:
    """Issues follow their occurrences."""

    def test_to_a_new_key(self, filled):
        """Id, state, assignee and comments go on; the new key is a known one and gets no issue of its own."""
        filled.change([A], IssueChange(assignee="ann"), "ann", 400)
        filled.carry([Move(4, 40, 7), Move(4, 41, 2), Move(4, 4, 1)], "ann", 500)
        events = filled.observe([seen(40, 96), seen(41, 97, version=2)], 600)

        assert [event.issue for event in events] == ["CHECKOUT-5"]
        assert held(filled) == {A: (4, 40), B: (3,), C: (2,), D: (1,), "CHECKOUT-5": (41,)}
        assert filled.issue(A).summary.assignee == "ann"
        assert filled.issue(A).activity[-1].kind is ActivityKind.CARRIED
        assert filled.route(40, SERVICE) == 40

    def test_a_half_is_not_most(self, filled):
        """Where no new key has more than half, all of them become issues."""
        filled.carry([Move(4, 40, 5), Move(4, 41, 5), Move(99, 42, 1), Move(3, 43, 0)], "ann", 500)

        assert held(filled) == {A: (4,), B: (3,), C: (2,), D: (1,)}

    def test_several_to_one_key(self, filled):
        """The issue with most occurrences gets it, and the others are merged into that: which can be undone."""
        filled.carry([Move(4, 40, 5), Move(3, 40, 9), Move(2, 40, 1)], "ann", 500)
        issue = filled.issue(B)

        assert held(filled) == {B: (2, 3, 4, 40), D: (1,)}
        assert [(merge.issue, merge.by_regrouping) for merge in issue.merges] == [(A, True), (C, True)]
        filled.unmerge([merge.id for merge in issue.merges], "ann", 600)
        assert held(filled) == {A: (4,), B: (3, 40), C: (2,), D: (1,)}

    @pytest.mark.parametrize("counts", [(9, 5), (5, 9), (5, 5)])
    def test_back_again(self, filled, counts):
        """A rule joins, and is deleted: each occurrence is with its old issue; and so when it is added again."""
        of_a, of_b = counts
        join = [Move(4, 40, of_a), Move(3, 40, of_b)]
        part = [Move(40, 4, of_a), Move(40, 3, of_b)]
        filled.carry(join, "ann", 500)
        filled.observe([seen(40)], 510)
        filled.carry(part, "ann", 600)
        by_key = filled.snapshot().by_key
        assert (by_key[4].id, by_key[3].id) == (A, B)
        filled.carry(join, "ann", 700)
        by_key = filled.snapshot().by_key

        assert by_key[4].id == by_key[3].id == by_key[40].id

    @pytest.mark.parametrize(("acted", "expected"), [(False, {A: (3, 4)}), (True, {B: (3, 4)})])
    def test_to_a_key_with_an_issue(self, filled, acted, expected):
        """An issue that somebody acted on takes the other in; one that nobody touched is taken in."""
        if acted:
            filled.change([B], IssueChange(assignee="bob"), "bob", 400)
        filled.carry([Move(4, 3, 8)], "ann", 500)

        assert held(filled) == {**expected, C: (2,), D: (1,)}

    def test_a_merge_of_people_stays(self, filled):
        """Regrouping undoes none but its own merges."""
        filled.merge([A], B, "ann", 400)
        filled.carry([Move(3, 4, 2), Move(3, 3, 8), Move(4, 4, 1)], "ann", 500)

        assert held(filled) == {B: (3, 4), C: (2,), D: (1,)}

    def test_overflow_neither_gives_nor_takes(self, filled):
        """What a full service had no room for gets issues of its own, and no issue is lost in it."""
        overflow = overflow_key(SERVICE)
        filled.observe([seen(overflow)], 400)
        filled.carry([Move(overflow, 50, 9), Move(4, overflow, 9)], "ann", 500)

        assert held(filled)["CHECKOUT-OVERFLOW"] == (overflow,)
        assert held(filled)[A] == (4,)
