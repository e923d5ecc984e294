"""The figures of lists are those of stored occurrences, whatever was stored and merged."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known_occurrences import NOW_NS, SECOND, WINDOW, World

from spanglass_server.query.issues.listing import SORTS, IssueOrder, IssueQuestion, list_issues
from spanglass_server.query.issues.one import show_issue
from spanglass_server.store.ports import Window

ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 999), st.sampled_from(["ann", "bob", None])), min_size=1, max_size=25
)
ACTS = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), max_size=6)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stored=ROWS, acts=ACTS, sort=st.sampled_from(sorted(SORTS)), half=st.booleans())
def test_counts_are_those_of_stored_rows(tmp_path_factory, open_tables, stored, acts, sort, half):
    """After random merges and unmerges each issue has the events and users of its keys, and none is counted twice."""
    world = World(tmp_path_factory.mktemp("world") / "issues.sqlite", open_tables)
    try:
        for key, second, user in stored:
            world.see(key, second, user=user)
        _act(world, acts)
        window = Window(WINDOW.start_ns, WINDOW.start_ns + 500 * SECOND) if half else WINDOW
        listed = _all_pages(world, IssueQuestion(window, states=("all",)), sort)
        owner = {key: issue.id for key, issue in world.store.snapshot().by_key.items()}
        inside = [(owner[row["issue_key"]], row["user"]) for row in world.rows if row["time_ns"] < window.end_ns]
        events = Counter(issue for issue, _ in inside)
        users = Counter(issue for issue, user in set(inside) if user)
        assert {issue["id"]: issue["events"] for issue in listed} == events
        assert {issue["id"]: sum(issue["series"]) for issue in listed} == events
        assert {issue["id"]: issue["users"] for issue in listed if issue["users"]} == users
        assert len(listed) == len(events)
        first = listed[0] if listed else None
        if first:
            page = show_issue(world.session(), world.issues, first["id"], window, NOW_NS, 7)
            assert (page["events"], page["users"]) == (first["events"], first["users"])
            assert sum(key["events"] for key in page["fingerprint"]["keys"]) == first["events"]
    finally:
        world.store.close()


def _act(world, acts):
    """Merge two issues, or undo a merge of one."""
    for merges, left, right in acts:
        ids = sorted(world.store.snapshot().issues)
        into, other = ids[left % len(ids)], ids[right % len(ids)]
        if merges and into != other:
            world.store.merge([other], into, "ann", NOW_NS)
        elif standing := world.store.issue(into).merges:
            world.store.unmerge([standing[right % len(standing)].id], "ann", NOW_NS)


def _all_pages(world, question, sort):
    found, cursor = [], None
    while True:
        answer = list_issues(
            world.session(), world.issues, question, IssueOrder(sort, limit=2, cursor=cursor), NOW_NS, 7
        )
        found += answer["issues"]
        cursor = answer["next_cursor"]
        if cursor is None:
            assert sum(answer["counts"].values()) == len(found)
            return found
