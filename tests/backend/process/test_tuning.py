"""What a server's process does to stay small and quick."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import weakref

import pytest

from spanglass_server.process.serve import uncollected
from spanglass_server.process.tuning import releasable, tune_collector, tune_turns


def mapping(number, mode="r-xp", path="/env/lib/some/_code.cpython-311.so", anonymous=0):
    """Return one mapping as the kernel writes it."""
    return [f"{number:x}000-{number:x}400 {mode} 00000000 08:01 11   {path}\n", f"Anonymous:   {anonymous} kB\n"]


def test_code_of_libraries_alone_is_given_back():
    """Not what can be written, has a page of its own, is shared, is no library, is outside, or has no file."""
    kept = [
        mapping(1, mode="rw-p"),
        mapping(2, anonymous=4),
        mapping(3, mode="r--s"),
        mapping(4, path="/env/lib/some/table.arrow"),
        mapping(5, path="/usr/lib/libc.so.6"),
        mapping(6, path="[heap]"),
    ]
    given = [mapping(7), mapping(8, mode="r--p"), mapping(9, path="/env/lib/libs/libother.so.5.2")]

    found = list(releasable([line for each in (*kept, *given) for line in each], "/env/lib"))

    assert found == [(0x7000, 0x400), (0x8000, 0x400), (0x9000, 0x400)]


@pytest.mark.skipif(sys.platform != "linux", reason="it is done on Linux only")
def test_a_process_without_its_code_goes_on():
    """What was given back is there again when it is needed."""
    program = """
import duckdb, pyarrow as pa
from spanglass_server.process.tuning import release_code
ask = lambda: duckdb.connect().execute("SELECT sum(n) FROM range(?) t(n)", [1000]).fetchall()
before = ask(), pa.array([1, 2]).to_pylist()
assert release_code() > 10_000_000
assert (ask(), pa.array([1, 2]).to_pylist()) == before == ([(499500,)], [1, 2])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=180, env=dict(os.environ), check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc only")
def test_memory_below_what_is_still_in_use_is_given_back():
    """What malloc keeps, because something was allocated after it, is the system's again; Arrow's C++ code uses it."""
    program = """
import re
from pathlib import Path
from spanglass_server.process.tuning import release_memory, tune_allocators
import pyarrow as pa
assert pa.default_memory_pool().backend_name == "system"
used_mb = lambda: int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1000
tune_allocators()
blocks = [bytearray(b"x") * 65_536 for _ in range(1000)]
del blocks[:-1]
kept = used_mb()
release_memory()
assert kept - used_mb() > 40, (kept, used_mb())
assert blocks == [bytearray(b"x") * 65_536]
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=180, env=_environment(), check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def _environment():
    """What a server is started with; this process may have set more by itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}


class Node:
    """Something that knows itself."""

    def __init__(self):
        self.own = self


def test_the_collector_passes_over_what_was_there_before():
    """What the server is made of is not looked at again; cycles that are made later still go."""
    before = gc.get_threshold()
    try:
        old = Node()
        tune_collector()
        new = Node()
        kept, gone = weakref.ref(old), weakref.ref(new)
        del old, new
        gc.collect()

        assert (kept() is not None, gone()) == (True, None)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_the_collector_rests_while_the_server_is_imported():
    """What is made meanwhile is not looked at, then or later; afterwards the collector works."""
    try:
        with uncollected():
            assert not gc.isenabled()
            old = Node()
        new = Node()
        kept, gone = weakref.ref(old), weakref.ref(new)
        del old, new
        gc.collect()

        assert (gc.isenabled(), kept() is not None, gone()) == (True, True, None)
    finally:
        gc.unfreeze()


def test_threads_wait_less_for_each_other_than_python_has_it():
    """A thread that wants the interpreter asks for it after 1 ms."""
    before = sys.getswitchinterval()
    try:
        tune_turns()
        assert sys.getswitchinterval() == pytest.approx(0.001)
    finally:
        sys.setswitchinterval(before)
