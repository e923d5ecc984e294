"""Connections are made anew as the store changes, and never taken from under a query."""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module

import _duckdb
import duckdb
import pytest

from spanglass_server.query.language.compiling.regex import regex_problem
from spanglass_server.store.sessions.connections import Connections, EngineLimits, _remember_absence, beside


@pytest.fixture
def connections(tmp_path):
    """Connections over an empty data directory."""
    made = Connections(tmp_path, EngineLimits(memory_bytes=64 << 20, threads=1, max_concurrent=1))
    yield made
    made.close()


def test_the_pair_stays_for_some_changes(connections):
    """Queries of nearly the same version share a pair: making one forgets the footers of all files."""
    with connections.use(0) as first, connections.use(47) as second:
        assert first is second


def test_a_new_pair_after_many_changes(connections):
    """After 48 changes the next query gets a new pair; one under way keeps the old, which is closed after it."""
    with connections.use(0) as old:
        with connections.use(48) as new:
            assert new is not old
            assert new.queries.execute("SELECT 1").fetchall() == [(1,)]
        assert old.queries.execute("SELECT 1").fetchall() == [(1,)]

    with pytest.raises(duckdb.ConnectionException):
        old.queries.execute("SELECT 1")
    with connections.use(49) as newest:
        assert newest is new


def test_an_idle_pair_is_closed_at_once(connections):
    """A pair that no query uses is closed when it is replaced."""
    with connections.use(0) as old:
        pass
    with connections.use(100):
        pass

    with pytest.raises(duckdb.ConnectionException):
        old.queries.execute("SELECT 1")


@pytest.fixture
def gives_back():
    """Whether DuckDB's allocator has a thread that gives back what was freed: one for the whole process."""
    ask = getattr(ctypes.CDLL(_duckdb.__file__), "duckdb_je_mallctl", None)
    if ask is None:
        pytest.skip("this build of DuckDB has another allocator")

    def is_on():
        found, size = ctypes.c_bool(), ctypes.c_size_t(1)
        assert ask(b"background_thread", ctypes.byref(found), ctypes.byref(size), None, ctypes.c_size_t(0)) == 0
        return found.value

    return is_on


def test_freed_memory_goes_back_when_a_pair_was_replaced(connections, gives_back):
    """The thread that gives it back outlives pairs that are closed, though each turns it off for the process."""
    with connections.use(0):
        pass
    with connections.use(48):
        assert gives_back()


def test_freed_memory_goes_back_when_patterns_were_judged(connections, gives_back):
    """Nor is it turned off by the database in which regular expressions are tried."""
    beside.cache_clear()
    regex_problem.cache_clear()
    with connections.use(0):
        assert regex_problem("a(") != ""
        assert gives_back()


@pytest.mark.parametrize("path", ["export.csv", "segments/../export.csv", "journal/1.csv"])
def test_files_beside_the_records_stay_closed(connections, tmp_path, path):
    """Of the data directory only folders of records can be read; an export that somebody put there can't."""
    data = tmp_path
    for folder in ("journal", "segments/spans"):
        (data / folder).mkdir(parents=True)
    for name in ("export.csv", "journal/1.csv", "segments/spans/1.csv"):
        (data / name).write_text("a\n1\n")
    with connections.use(1) as pair:
        assert pair.queries.execute(f"FROM '{data}/segments/spans/1.csv'").fetchall() == [(1,)]
        with pytest.raises(duckdb.PermissionException):
            pair.queries.execute(f"FROM '{data}/{path}'")


def test_a_package_that_is_not_there_is_searched_for_once(monkeypatch):
    """Importing it fails as before, without a look at the other finders, which other packages still reach."""
    name = "a_package_that_nobody_has"
    asked = []

    class Finder:
        @staticmethod
        def find_spec(wanted, *_):
            asked.append(wanted)

    monkeypatch.setattr(sys, "meta_path", [Finder])
    for _ in range(2):
        _remember_absence(name)
    asked.clear()
    for wanted in (name, f"{name}_either"):
        with pytest.raises(ModuleNotFoundError, match=wanted) as raised:
            import_module(wanted)
        assert raised.value.name == wanted
    assert asked == [f"{name}_either"]
    assert len(sys.meta_path) == 2


def test_a_package_that_the_process_refuses_is_left_to_it(monkeypatch):
    """A finder that says so already is enough: no error, and no other finder."""
    name = "a_package_that_is_refused"

    class Finder:
        @staticmethod
        def find_spec(wanted, *_):
            raise ModuleNotFoundError(wanted, name=wanted)

    monkeypatch.setattr(sys, "meta_path", [Finder])
    _remember_absence(name)

    assert sys.meta_path == [Finder]


def test_a_package_that_is_there_is_still_found(monkeypatch):
    """What is installed, imported or not, is never refused."""
    found = list(sys.meta_path)
    monkeypatch.setattr(sys, "meta_path", list(found))
    for name in ("json", "this"):
        _remember_absence(name)
    assert sys.meta_path == found
