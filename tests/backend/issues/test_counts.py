"""Whatever happens, the occurrences of all issues are those that are stored, each in one issue."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from errors import exception, log_request, occurrences, span_request
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spanglass_server.settings.table import Retention
from spanglass_server.signals import Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from nodes import Clock, Node

HOUR_NS = 3600 * 10**9
FUNCTIONS = ("take", "put", "count")
RULES = (
    {"match": {"type": "*"}, "action": {"join": "all"}},
    {"match": {"function": "take"}, "action": {"split_by": ["tenant"]}},
    {"match": {"function": "put"}, "action": {"in_app": False}},
)


class Life(RuleBasedStateMachine):
    """A server that takes exceptions, is restarted and killed, while people merge, unmerge and regroup."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="spanglass-issues-"))
        self.clock = Clock()
        self.trace = self.homes = 0
        self.sent = []  # (time, function) of each exception that must be stored
        self.open(self.root / "0")

    def open(self, data_dir):
        """Start a server over a directory."""
        retention = Retention(traces_ns=HOUR_NS, logs_ns=HOUR_NS)
        self.node = Node(data_dir, self.clock, {}, {}, retention=retention)

    def teardown(self):
        """Stop the server and delete its files."""
        self.node.real.close()
        shutil.rmtree(self.root)

    def issues(self):
        """Return the ids of all issues, sorted."""
        self.node.real.errors.tracker.observe()
        return sorted(self.node.real.errors.issues.snapshot().issues)

    @rule(function=st.sampled_from(FUNCTIONS), tenant=st.sampled_from("ab"), on_log=st.booleans(), twice=st.booleans())
    def fail(self, function, tenant, on_log, twice):
        """Send an exception, as a span event, a log record, or both."""
        self.trace += 1
        told = {**exception(function=function), "tenant": tenant}
        place = {"trace": self.trace, "time_ns": self.clock.now_ns}
        if not on_log or twice:
            self.node.submit(span_request(told, **place))
        if on_log or twice:
            self.node.submit(log_request(told, **place), signal=Signal.LOGS)
        self.sent.append((self.clock.now_ns, function))

    @rule()
    def flush(self):
        """Write everything to segments."""
        self.node.real._generations.seal()
        self.node.real._flushing.wait_for_room(1, 60)

    @rule()
    def compact(self):
        """Merge segments."""
        self.node.real.store.compact()

    @rule()
    def age(self):
        """Let all that is stored grow too old, and delete it."""
        self.flush()
        self.clock.now_ns += 2 * HOUR_NS
        self.node.real.store.retain(self.clock.now_ns)
        self.sent = []

    @rule()
    def restart(self):
        """Stop and start."""
        self.node.real.close()
        self.open(self.node.data_dir)

    @rule()
    def kill(self):
        """Go on from the files as they are, as after ``kill -9``."""
        self.homes += 1
        copy = self.root / str(self.homes)
        shutil.copytree(self.node.data_dir, copy, ignore=shutil.ignore_patterns("lock"))
        self.node.real.close()
        self.open(copy)

    @precondition(lambda self: len(self.issues()) > 1)
    @rule(data=st.data())
    def merge(self, data):
        """Merge two issues."""
        first, second = data.draw(st.lists(st.sampled_from(self.issues()), min_size=2, max_size=2, unique=True))
        self.node.real.errors.issues.merge([first], second, "ada", self.clock.now_ns)

    @rule(data=st.data())
    def unmerge(self, data):
        """Undo the merges of an issue that has any."""
        found = [self.node.real.errors.issues.issue(issue).merges for issue in self.issues()]
        merges = [merge.id for several in found for merge in several]
        if merges:
            self.node.real.errors.issues.unmerge([data.draw(st.sampled_from(merges))], "ada", self.clock.now_ns)

    @rule(body=st.sampled_from(RULES))
    def add_rule(self, body):
        """Add a rule of grouping, which holds for what comes then."""
        self.node.real.errors.issues.add_rule(body, "ada", self.clock.now_ns)

    @rule()
    def delete_rules(self):
        """Delete all rules."""
        for kept in self.node.real.errors.issues.rules().rules:
            self.node.real.errors.issues.delete_rule(kept.id, "ada", self.clock.now_ns)

    @rule()
    def regroup(self):
        """Return everything stored its key by the present rules."""
        self.node.real.errors.regrouping.ask()
        self.node.real.errors.regrouping.step()
        assert self.node.real.errors.regrouping.progress.error is None

    @invariant()
    def every_exception_is_stored_once_in_one_issue(self):
        """The stored occurrences are the exceptions that were sent, and each has an issue that lists name."""
        rows = occurrences(self.node.real)
        self.node.real.errors.tracker.observe()
        snapshot = self.node.real.errors.issues.snapshot()
        culprits = Counter((row["culprit"] or "").rpartition(".")[2] for row in rows)
        assert culprits == Counter(function for _, function in self.sent)
        per_issue = Counter(snapshot.by_key[row["issue_key"]].id for row in rows)
        assert set(per_issue) <= set(snapshot.issues)
        keys = [key for issue in snapshot.issues.values() for key in issue.keys]
        assert len(keys) == len(set(keys))
        assert per_issue.total() == len(rows)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=6, stateful_step_count=12, deadline=None)
