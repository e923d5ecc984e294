"""Random work on the issue store, beside a model of a few dictionaries that says what must come out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sightings import SERVICE, seen

from spanglass_server.issues.model import IssueChange, Move
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.issues.states import State

RELEASE = st.sampled_from(("", "1.0", "1.1", "1.2"))
WANTED = (State.RESOLVED, State.IGNORED, State.ONGOING)


@dataclass
class Held:
    """What the model knows of one issue."""

    key: int
    first_ns: int
    last_ns: int
    settled_ns: int = 0  # what was known when it was merged or parted last
    state: State = State.NEW
    assignee: str = ""
    comments: list[str] = field(default_factory=list)
    parent: str | None = None
    resolved: tuple[int, str] = (0, "")  # when, and the newest release then


class IssueStoreMachine(RuleBasedStateMachine):
    """Observes, changes, merges and undoes in any order, restarts in between, and sees batches again."""

    issues = Bundle("issues")
    merges = Bundle("merges")

    @initialize()
    def start(self):
        """Open an empty store."""
        self.directory = tempfile.TemporaryDirectory()
        self.store = SqliteIssueStore(Path(self.directory.name) / "issues", 1000)
        self.now = 1000
        self.held = {}
        self.ids = {}
        self.edges = {}
        self.releases = set()
        self.batches = []

    def root(self, name):
        """Return the issue that stands for one."""
        while self.held[name].parent:
            name = self.held[name].parent
        return name

    @rule(
        target=issues,
        batch=st.lists(
            st.tuples(st.integers(1, 4), st.sampled_from((0, 10, 20)), st.sampled_from((0, 10)), RELEASE),
            min_size=1,
            max_size=5,
        ),
    )
    def observe(self, batch):
        """Take a batch: new keys are issues, resolved ones regress."""
        self.now += 10
        sightings = [
            seen(key, self.now - before, min(self.now, self.now - before + span), release=release)
            for key, before, span, release in batch
        ]
        self.batches.append(sightings)
        known = set(self.ids)
        self.releases |= {each.release for each in sightings if each.release}
        expected = {key for key, *_ in batch} - known
        for name in {self.root(self.ids[each.key]) for each in sightings if each.key in known}:
            self.expect_regression(name, [each for each in sightings if self.is_of(each.key, name)])
        self.store.observe(sightings, self.now)
        by_key = self.store.snapshot().by_key
        for each in sightings:
            name = self.ids.setdefault(each.key, by_key[each.key].id)
            issue = self.held.setdefault(name, Held(each.key, each.first_ns, each.last_ns))
            issue.first_ns, issue.last_ns = min(issue.first_ns, each.first_ns), max(issue.last_ns, each.last_ns)
        return multiple(*(self.ids[key] for key in sorted(expected)))

    def is_of(self, key, name):
        """Whether a key is of an issue."""
        return key in self.ids and self.root(self.ids[key]) == name

    def settle(self, name):
        """Note what is known of an issue and those within it."""
        for issue in (issue for each, issue in self.held.items() if self.root(each) == name):
            issue.settled_ns = issue.last_ns

    def expect_regression(self, name, sightings):
        """Regress the issue in the model, if one of these is after the resolution and of no older release."""
        issue = self.held[name]
        after_ns, newest = issue.resolved
        late = [each for each in sightings if each.last_ns > max(after_ns, self.held[self.ids[each.key]].settled_ns)]
        if issue.state is State.RESOLVED and any(not each.release or each.release >= newest for each in late):
            issue.state = State.REGRESSED

    @rule(data=st.data())
    def observe_again(self, data):
        """A batch that was seen changes nothing, whatever was done since."""
        if self.batches:
            before = self.store.snapshot()
            assert self.store.observe(data.draw(st.sampled_from(self.batches)), self.now) == []
            assert self.store.snapshot() is before

    @rule(names=st.lists(issues, min_size=1, max_size=3), state=st.sampled_from(WANTED))
    def set_state(self, names, state):
        """Set a state on one or several."""
        self.now += 10
        self.store.change(names, IssueChange(state=state), "ann", self.now)
        for name in {self.root(name) for name in names}:
            issue, newest = self.held[name], max(self.releases, default="")
            if (issue.state, state, issue.resolved[1]) != (State.RESOLVED, State.RESOLVED, newest):
                issue.state, issue.resolved = state, (self.now, newest)

    @rule(name=issues, assignee=st.sampled_from(("", "ann", "bob")))
    def assign(self, name, assignee):
        """Assign one."""
        self.store.change([name], IssueChange(assignee=assignee), "ann", self.now)
        issue = self.held[self.root(name)]
        if issue.assignee != assignee and issue.state is State.NEW:
            issue.state = State.ONGOING
        issue.assignee = assignee

    @rule(name=issues, text=st.text("abc", min_size=1, max_size=3))
    def comment(self, name, text):
        """Comment on one."""
        self.store.comment(name, text, "bob", self.now)
        issue = self.held[self.root(name)]
        issue.comments.append(text)
        issue.state = State.ONGOING if issue.state is State.NEW else issue.state

    @rule(target=merges, names=st.lists(issues, min_size=1, max_size=3), into=issues)
    def merge(self, names, into):
        """Merge some, which may be merged already."""
        made = self.store.merge(names, into, "ann", self.now)
        target = self.root(into)
        sources = dict.fromkeys(self.root(name) for name in names if self.root(name) != target)
        assert [(each.issue, each.into) for each in made] == [(source, target) for source in sources]
        for source, each in zip(sources, made, strict=True):
            self.settle(source)
            self.held[source].parent = target
            self.edges[each.id] = source
        return multiple(*(each.id for each in made))

    @rule(merge=consumes(merges))
    def unmerge(self, merge):
        """Undo any merge that stands."""
        self.store.unmerge([merge], "ann", self.now)
        source = self.edges.pop(merge)
        self.held[source].parent = None
        self.settle(source)

    @rule()
    def restart(self):
        """Close the store, and open it again."""
        self.store.close()
        self.store = SqliteIssueStore(Path(self.directory.name) / "issues", 1000)

    @invariant()
    def is_as_the_model_says(self):
        """Issues, keys, states, assignees and comments are those of the model."""
        stands = {name: issue for name, issue in self.held.items() if issue.parent is None}
        within = {name: [each for each in self.held if self.root(each) == name] for name in stands}
        snapshot = self.store.snapshot()
        assert {
            issue.id: (issue.keys, issue.status.state, issue.assignee, issue.first_seen_ns)
            for issue in snapshot.issues.values()
        } == {
            name: (
                tuple(sorted(self.held[each].key for each in within[name])),
                issue.state,
                issue.assignee,
                min(self.held[each].first_ns for each in within[name]),
            )
            for name, issue in stands.items()
        }
        for name in stands:
            comments = [comment.text for comment in self.store.issue(name).comments]
            assert sorted(comments) == sorted(text for each in within[name] for text in self.held[each].comments)

    def teardown(self):
        """Release the files."""
        self.store.close()
        self.directory.cleanup()


TestIssueStoreMachine = IssueStoreMachine.TestCase
TestIssueStoreMachine.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)


moves = st.lists(st.builds(Move, st.integers(1, 12), st.integers(1, 12), st.integers(0, 9)), max_size=12)


@given(st.lists(moves, max_size=4), st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=3))
@settings(max_examples=60, deadline=None)
def test_regrouping_loses_nothing(regroupings, merged):
    """After any moves each key is of one issue, none is gone; all merges undone, each issue has what it had."""
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteIssueStore(Path(directory) / "issues", 1000)
        store.observe([seen(key, key) for key in range(1, 7)], 100)
        store.change([f"CHECKOUT-{number}" for number in (1, 3)], IssueChange(assignee="ann"), "ann", 200)
        before = store.snapshot().issues
        for source, target in merged:
            store.merge([f"CHECKOUT-{source}"], f"CHECKOUT-{target}", "ann", 300)
        for regrouping in regroupings:
            known = set(store.snapshot().by_key)
            store.carry(regrouping, "ann", 400)
            assert known <= set(store.snapshot().by_key)
            store.carry([Move(key, key, 1) for key in known], "ann", 400)
        while merges := [merge.id for name in store.snapshot().issues for merge in store.issue(name).merges]:
            store.unmerge(merges, "ann", 500)
        after = store.snapshot().issues
        keys = [key for issue in after.values() for key in issue.keys]
        store.close()

    assert list(after) == list(before)
    assert len(keys) == len(set(keys))
    assert [(issue.status, issue.assignee, issue.service) for issue in after.values()] == [
        (issue.status, issue.assignee, SERVICE) for issue in before.values()
    ]
    assert all(set(before[name].keys) <= set(issue.keys) for name, issue in after.items())
