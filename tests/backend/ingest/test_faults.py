"""Whatever fails on the way to disk, at any step: what was acknowledged is there once, and nothing else is.

Each scenario runs once to count its steps, and then once with a failure at each of them. The quick tests take one step
of each kind; the slow ones take them all, with one of the errors each: once or for a while, and to the end.
"""

from __future__ import annotations

import math
import shutil
from collections import Counter
from contextlib import suppress

import pytest
from faults import Faults, faulty_node, requests
from nodes import NOW_NS, Clock

from spanglass_server.ingest.digests import digest_of
from spanglass_server.ingest.journal.file import Entry, JournalFile
from spanglass_server.retention.model import Policies as PolicySet
from spanglass_server.retention.model import Policy, Version
from spanglass_server.saved.model import Pin
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.segment_files.catalog import Change

NAMES = ["a", "b", "c", "d"]
ALL = dict.fromkeys(SENT, NAMES)
DAY_NS = 86_400 * 10**9
WHILE = 12  # failures in a row: more than what sets a generation aside
ERRORS = [OSError, RuntimeError, MemoryError]


class Journal:
    """Requests of all signals are journaled, sealed and flushed."""

    expected = ALL

    def prepare(self, node):
        """Nothing is there before."""

    def work(self, node):
        """Store everything, in two generations."""
        node.store_all(*NAMES[:2])
        node.flush()
        node.store_all(*NAMES[2:])
        node.flush()

    def acknowledged(self, node):
        """Store everything while all is well."""
        node.store_all(*NAMES)

    def try_once(self, node):
        """Have what was acknowledged flushed by whoever does it."""
        node.real._generations.seal()


class Compaction:
    """Four segments of each signal become one."""

    expected = ALL

    def prepare(self, node):
        """Make the segments."""
        for name in NAMES:
            node.store_all(name)
            node.flush()

    def work(self, node):
        """Do it until it succeeds."""
        node.insist(lambda: self.try_once(node))

    def acknowledged(self, node):
        """Nothing more comes."""

    def try_once(self, node):
        """Merge once."""
        node.real.store.compact()


class Retention(Compaction):
    """Segments of spans are past their age: with one pinned trace among others, without any, and with nothing else."""

    expected = ALL | {Signal.SPANS: ["b", "d"]}

    def prepare(self, node):
        """Make the segments, and pin."""
        for names in ("ab", "c", "d"):
            node.store_all(*names)
            node.flush()
        for name in self.expected[Signal.SPANS]:
            trace_id = name.encode().rjust(16, b"0")
            node.real.saved.pins.pin(Pin(trace_id, "", "Ada", NOW_NS, "shop", name, NOW_NS, 1, 1, 0, 1000), 10_000)

    def try_once(self, node):
        """Delete once."""
        node.real.store.retain(node.clock.now_ns + 2 * DAY_NS)


class Policies(Compaction):
    """Policies keep some traces longer: of one segment a part, of one everything, of one nothing."""

    expected = ALL | {Signal.SPANS: ["b", "d"]}

    def prepare(self, node):
        """Make the segments."""
        for names in ("ab", "c", "d"):
            node.store_all(*names)
            node.flush()

    def try_once(self, node):
        """Judge and delete once."""
        retention, now_ns = node.real.retention, node.clock.now_ns + 2 * DAY_NS
        retention.keeper.evidence = frozenset
        if not retention.book.version:
            chosen = Policy("chosen", "matching", 9 * DAY_NS, filter="name:b OR name:d")
            retention.book.replace(PolicySet((chosen,)), Version(0, NOW_NS, "Ada", "", ""), 0)
        while node.real.store.judge_next(now_ns):
            pass
        node.real.store.retain(now_ns)


class Start(Compaction):
    """What a crash left: strays, a file in segments, one set aside and in segments, one set aside, one neither."""

    def prepare(self, node):
        """Leave it behind."""
        node.store_all(*NAMES[:2])
        node.flush()
        node.real.store.catalog.commit(Change(flushed_out_of_turn=5))
        for path in ("segments/spans/000000000099.parquet", "projections/spans/000000000099.parquet", "journal/probe"):
            (node.data_dir / path).write_bytes(b"never committed")
        for generation, suffix, name in ((1, "journal", "a"), (5, "quarantined", "b")):
            journal_file(node.data_dir, generation, suffix, name)

    def leave(self, node):
        """Leave what only a crash leaves: requests that are in no segment."""
        for generation, suffix, name in ((6, "quarantined", "c"), (7, "journal", "d")):
            journal_file(node.data_dir, generation, suffix, name)


def journal_file(data_dir, generation, suffix, name):
    """Write a generation's file with a request of each signal."""
    journal = JournalFile(data_dir / "journal" / f"{generation:012d}.{suffix}")
    bodies = requests(name).items()
    journal.append([Entry(signal, NOW_NS, digest_of(signal, body), body) for signal, body in bodies])
    journal.close()


SCENARIOS = {
    "journal": Journal(),
    "compaction": Compaction(),
    "retention": Retention(),
    "policies": Policies(),
}
#: The last one writes as retention does: the quick tests take its commit alone.
QUICK = [name for name in SCENARIOS if name != "policies"]


class Prepared:
    """Data directories of scenarios, prepared once and copied, and what their steps are."""

    def __init__(self, folder):
        self._folder = folder
        self._copies = 0
        self._steps = {}

    def copy(self, name):
        """A directory of its own for one run of a scenario."""
        source = self._folder / name
        if not source.exists():
            with opened(source, Faults()) as node:
                SCENARIOS[name].prepare(node)
        self._copies += 1
        return shutil.copytree(source, self._folder / str(self._copies))

    def steps(self, name):
        """The names of a scenario's steps when nothing fails."""
        if name not in self._steps:
            faults = Faults()
            with opened(self.copy(name), faults) as node:
                faults.arm()
                SCENARIOS[name].work(node)
                self._steps[name] = list(faults.names)
                faults.disarm()
        return self._steps[name]

    def alternately(self, name):
        """Every step with how often it fails: steps of a kind in turn, beginning otherwise than `one_of_each` does."""
        kinds = [self.steps(name)[number - 1] for number in self.one_of_each(name)]
        seen = Counter()
        for number, step in enumerate(self.steps(name), 1):
            yield number, (WHILE, 1)[(kinds.index(step) + seen[step]) % 2]
            seen[step] += 1

    def one_of_each(self, name):
        """The number of the first step of each kind."""
        steps = list(enumerate(self.steps(name), 1))
        return sorted({step: number for number, step in reversed(steps)}.values())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return Prepared(tmp_path_factory.mktemp("scenarios"))


def opened(data_dir, faults):
    """Open a node that keeps spans for a day, and everything else for ever."""
    return faulty_node(data_dir, faults, Clock(), traces_ns=DAY_NS, logs_ns=0, metrics_ns=0)


def survives(name, data_dir, number, times, error):
    """Run a scenario with failures from a step on; afterwards all is well, in this process and in the next."""
    faults = Faults()
    scenario = SCENARIOS[name]
    with opened(data_dir, faults) as node:
        faults.arm(number, times, error)
        scenario.work(node)
        failed = faults.failed
        faults.disarm()
        is_well(node, scenario.expected)
    with opened(data_dir, Faults()) as node:
        is_well(node, scenario.expected)
    shutil.rmtree(data_dir)
    return failed


def is_well(node, expected):
    """Every record is there once, before and after what is in memory becomes segments, and no file too many."""
    assert node.stored() == expected
    node.flush()
    node.until_well()
    assert node.strays() == []
    assert node.stored() == expected


@pytest.mark.parametrize("name", QUICK)
def test_a_step_of_each_kind_may_fail(prepared, name):
    """Once or for a while, with errors of the disk and others in turn: everything is stored once, without a stray."""
    steps = prepared.one_of_each(name)
    failed = [
        survives(name, prepared.copy(name), number, (1, WHILE)[turn % 2], ERRORS[turn % 3])
        for turn, number in enumerate(steps)
    ]

    assert len(failed) > 2
    assert all(failed), failed


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_any_step_may_fail(prepared, name):
    """The same at every step, those of a kind once and for a while in turn, with another error each."""
    for number, times in prepared.alternately(name):
        assert survives(name, prepared.copy(name), number, times, ERRORS[number % 3]), number


def ends_failing(name, data_dir, number, error):
    """Run a scenario whose steps fail until the process has ended in order; the next one finds all and tidies up."""
    scenario, faults = SCENARIOS[name], Faults()
    with opened(data_dir, faults) as node:
        scenario.acknowledged(node)
        faults.arm(number, math.inf, error)
        with suppress(Exception):
            scenario.try_once(node)
    with opened(data_dir, Faults()) as node:
        scenario.work(node)
        is_well(node, scenario.expected)
    shutil.rmtree(data_dir)


@pytest.mark.parametrize("name", QUICK)
def test_a_step_of_each_kind_may_fail_until_the_restart(prepared, name):
    """The process ends although nothing can be written any more, and loses nothing."""
    for turn, number in enumerate(prepared.one_of_each(name)):
        ends_failing(name, prepared.copy(name), number, ERRORS[turn % 3])


def test_the_server_may_end_while_policies_are_carried_out(prepared):
    """Before, within and after the commit that has kept rows in the place of a segment: nothing kept is lost."""
    steps = prepared.steps("policies")
    for name in ("commit", "middle of the commit", "swap"):
        ends_failing("policies", prepared.copy("policies"), steps.index(name) + 1, OSError)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_any_step_may_fail_until_the_restart(prepared, name):
    """The same at every step, with the third error."""
    for number in range(1, len(prepared.steps(name)) + 1):
        ends_failing(name, prepared.copy(name), number, ERRORS[(number + 2) % 3])


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """Make a data directory that a crash left in every state at once."""
    data_dir = tmp_path_factory.mktemp("crash") / "data"
    with opened(data_dir, Faults()) as node:
        Start().prepare(node)
    Start().leave(node)
    return data_dir


def starts(data_dir, number, times, error):
    """Start with failures from a step on, again while it is refused; returns how many failed."""
    faults, failed = Faults(), None
    faults.arm(number, times, error)
    while failed is None:
        with suppress(error), opened(data_dir, faults) as node:
            node.until(lambda node=node: not node.states())
            failed = faults.failed
            faults.disarm()
            is_well(node, ALL)
    with opened(data_dir, Faults()) as node:
        is_well(node, ALL)
    shutil.rmtree(data_dir)
    return failed


def test_a_start_may_fail(tmp_path, crashed):
    """Whatever a start finds and tidies up, a failure loses and doubles nothing; it may be refused, and repeated."""
    number = turn = 1
    while starts(shutil.copytree(crashed, tmp_path / str(number)), number, (1, WHILE)[turn % 2], ERRORS[turn % 3]):
        number, turn = number + (1 if number < 12 else 9), turn + 1

    assert turn > 12


@pytest.mark.slow
def test_any_step_of_a_start_may_fail(tmp_path, crashed):
    """The same at every step, once and for a while in turn, otherwise than above, with another error each."""
    number = 1
    while starts(
        shutil.copytree(crashed, tmp_path / str(number)), number, (WHILE, 1)[number % 2], ERRORS[(number + 1) % 3]
    ):
        number += 1

    assert number > 40
