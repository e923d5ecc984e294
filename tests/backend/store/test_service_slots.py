"""Colour slots of services: given once, kept in the catalog."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import spanglass_server
from spanglass_server.store.segment_files.catalog import Change, LocalCatalog
from spanglass_server.store.service_slots import _DISTANCES, COLOURS, ServiceSlots, choose_slot, service_slot

#: Services whose hashes want the same slot, 4.
RIVALS = [name for name in (f"service-{number}" for number in range(200)) if service_slot(name) == 4]


@pytest.fixture
def open_catalog(tmp_path):
    """Yield a function that opens the one catalog; opening it again closes it first, as a restart does."""
    with contextlib.ExitStack() as stack:

        def open_again():
            stack.close()
            return stack.enter_context(contextlib.closing(LocalCatalog(tmp_path / "catalog.sqlite")))

        yield open_again


def test_rivals_take_free_slots(open_catalog):
    """Ten services that all want one slot have ten colours, in the order of their coming; the eleventh shares."""
    slots = ServiceSlots(open_catalog())
    assert [slots.slot(name) for name in RIVALS[:11]] == [4, 5, 6, 3, 1, 7, 0, 8, 9, 2, 4]


def test_slots_outlast_a_restart(open_catalog):
    """A service keeps its slot across restarts, whoever comes first then."""
    before = ServiceSlots(open_catalog())
    chosen = {name: before.slot(name) for name in RIVALS[:4]}
    before.save()

    after = ServiceSlots(open_catalog())

    assert {name: after.slot(name) for name in reversed(RIVALS[:4])} == chosen


def test_catalog_keeps_slots(open_catalog):
    """The catalog gives back what was committed; the first choice stands."""
    catalog = open_catalog()
    assert catalog.service_slots() == {}
    catalog.commit(Change(service_slots={"a": 1, "b": 2}))
    catalog.commit(Change(service_slots={"b": 7, "c": 3}))
    assert open_catalog().service_slots() == {"a": 1, "b": 2, "c": 3}


def test_older_catalog_is_upgraded(open_catalog, tmp_path):
    """A catalog from before slots were kept opens, with what it holds, and takes slots."""
    open_catalog().commit(Change(journal_start=5))
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as raw:
        raw.executescript(
            "DROP TABLE service_slots; ALTER TABLE segments DROP COLUMN cover;"
            "ALTER TABLE segments DROP COLUMN minute_counts; PRAGMA user_version = 1;"
        )
    catalog = open_catalog()
    catalog.commit(Change(service_slots={"a": 1}))
    assert (catalog.journal_start(), catalog.service_slots()) == (5, {"a": 1})


class FullDisk:
    """A catalog whose writes fail for as long as they are told to."""

    def __init__(self, catalog):
        self.catalog, self.full = catalog, True

    def service_slots(self):
        """Return what is stored."""
        return self.catalog.service_slots()

    def commit(self, change):
        """Store, if there is room."""
        if self.full:
            raise OSError("no space left")
        self.catalog.commit(change)


def test_a_failed_save_is_tried_again(open_catalog):
    """Slots chosen while the disk was full hold, and are stored once there is room."""
    disk = FullDisk(open_catalog())
    slots = ServiceSlots(disk)
    chosen = [slots.slot(RIVALS[0])]
    with pytest.raises(OSError, match="no space left"):
        slots.save()
    chosen.append(slots.slot(RIVALS[1]))
    disk.full = False
    slots.save()
    assert disk.service_slots() == dict(zip(RIVALS[:2], chosen, strict=True)) == {RIVALS[0]: 4, RIVALS[1]: 5}


def test_memory_is_bounded(open_catalog):
    """Services past the limit, and endless names, have the slot of their hash and are not kept."""
    slots = ServiceSlots(open_catalog(), max_services=2)
    assert [slots.slot(name) for name in RIVALS[:4]] == [4, 5, 4, 4]
    assert slots.slot("x" * 257) == service_slot("x" * 257)
    slots.save()
    assert ServiceSlots(open_catalog()).slot(RIVALS[1]) == 5
    assert open_catalog().service_slots() == {RIVALS[0]: 4, RIVALS[1]: 5}


def test_threads_agree(open_catalog):
    """Threads that see new services at once all get the same slots."""
    slots = ServiceSlots(open_catalog())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: [slots.slot(name) for name in RIVALS[:9]], range(8)))
    assert [sorted(answer) for answer in answers] == [[0, 1, 3, 4, 5, 6, 7, 8, 9]] * 8
    assert len(set(map(tuple, answers))) == 1


@pytest.mark.parametrize(("name", "digest"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_slot_is_fnv_1a_modulo_ten(name, digest):
    """The slot follows the published FNV-1a test vectors, so every process agrees on it."""
    assert service_slot(name) == digest % 10


@pytest.mark.parametrize(
    ("taken", "slot"),
    [(set(), 0), ({0, 1, 2, 3, 4, 5, 6, 7, 8}, 9), (set(range(10)), 0), ({1}, 0), ({99}, 0)],
)
def test_a_new_service_takes_a_free_slot(taken, slot):
    """The slot of the hash when there is no other service, a free one, and that of the hash when all are taken."""
    assert service_slot("a") == 0
    assert choose_slot("a", taken) == slot


def test_services_look_as_different_as_they_can():
    """Of the first five no two are nearer than twice what is told apart at all; by next free slots it was 0.08."""
    for first in range(10):
        name = next(name for name in map(str, range(200)) if service_slot(name) == first)
        taken = []
        for _ in range(5):
            taken.append(choose_slot(name, taken))
        assert len(set(taken)) == 5
        assert min(_DISTANCES[one][other] for one in taken for other in taken if one < other) > 0.1, taken


def test_the_colours_are_those_of_the_pages():
    """The table that slots are chosen by is the style sheet's."""
    css = (Path(spanglass_server.__file__).parent / "pages/static/spanglass.css").read_text()
    found = re.findall(r"--s(\d): light-dark\(#(\w{6}), #(\w{6})\)", css)
    assert [(light, dark) for _, light, dark in sorted(found)] == list(COLOURS)
