"""What a server's process does to stay small and quick: allocators, threads' turns, the garbage collector, old code."""

from __future__ import annotations

import ctypes
import gc
import logging
import re
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spanglass_server.supervision import Supervisor

_LOG = logging.getLogger(__name__)
_M_ARENA_MAX: Final = -8  # <malloc.h>
_ARENAS: Final = 2
_MADV_DONTNEED: Final = 4  # <sys/mman.h>
_FIRST_S: Final = 15.0
_AGAIN_S: Final = 300.0
_NEW_OBJECTS: Final = 5000
_TURN_S: Final = 0.001
_MAPS: Final = Path("/proc/self/smaps")
_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ +(\S+)")


def tune_allocators() -> None:
    """Keep resident memory near what is in use: Arrow uses malloc, and malloc two arenas (glibc only).

    Ingest allocates and frees megabytes in several threads. glibc gives each thread an arena of its own and keeps what
    is freed; mimalloc, Arrow's default, keeps even more. In one run of 800 000 spans at full speed the peak was 1394 MB
    with mimalloc, 979 MB with jemalloc, 819 MB with malloc, and 677 MB with malloc in two arenas. Call it before any
    thread starts.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)


def release_memory() -> None:
    """Give free memory back to the system; called when much of it has just become free.

    What was allocated since lies between, so that malloc alone keeps all of it: after a flush under full load 80 to
    140 MB, for 10 ms of processor time. glibc only.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def tune_turns() -> None:
    """Have a thread that waits for the interpreter wait 1 ms for another that computes, not Python's 5 ms.

    A request lets the interpreter go some ten times, and waits for it each time. Beside a thread that only computed,
    requests one after another took 21 and 17 ms in the median, and take 3.8 and 2.7 ms; two runs, data in memory.
    Ingest at full speed costs no more: the smallest of four runs each was 11.2 and 9.6 CPU s a million spans.
    """
    sys.setswitchinterval(_TURN_S)


def tune_collector() -> None:
    """Have the collector of reference cycles pass over all objects that there are now. Call it once all is started.

    They stay until the end. A pass over 130,000 of them took 80 ms, in which nothing else ran, and came back whenever a
    quarter more had been made. New ones are looked at after 5,000 instead of 700. Both together spare a quarter of the
    time that exceptions take on their way in, 0.4 CPU seconds a million spans.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


class CodeRelease:
    """Has code given back soon after the start, and then now and then."""

    def __init__(self, supervisor: Supervisor, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._due_s = monotonic_s() + _FIRST_S
        self._task = supervisor.every(_FIRST_S, "code", self._release, lambda: monotonic_s() >= self._due_s)
        self._supervisor = supervisor

    def _release(self) -> None:
        self._due_s = self._monotonic_s() + _AGAIN_S
        release_code()

    def close(self) -> None:
        """End it."""
        self._supervisor.stop()
        self._task.join()


def release_code() -> int:
    """Give back the pages of libraries' code that hold nothing of our own; the bytes that were mapped.

    70 of 100 MB are needed while the server starts, and never again. Those that are needed are mapped again, from the
    page cache. Only code of extension modules, which are never unloaded, and only where no page was written to. Linux
    only; 0 elsewhere.

    What is listed once may be a library that a thread is just loading: all of it is mapped as code for a moment, its
    data too. That thread holds the interpreter's lock, so it is done when the list is read again.
    """
    if sys.platform != "linux":
        return 0
    try:
        found = _listed() & _listed()
    except OSError as error:
        _LOG.debug("no code is given back: %s", error)
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(size for start, size in found if madvise(start, size, _MADV_DONTNEED) == 0)


def _listed() -> set[tuple[int, int]]:
    with _MAPS.open(encoding="utf-8") as maps:
        return set(releasable(maps, sysconfig.get_path("platlib")))


def releasable(smaps: Iterable[str], folder: str) -> Iterator[tuple[int, int]]:
    """Address and size of the mappings in the form of ``/proc/PID/smaps`` that can be mapped again as they are.

    They are private, not to be written, of a shared library below a folder, and no page is a copy of its own, as those
    are that the dynamic linker has written to.
    """
    mapping = None
    for line in smaps:
        header = _MAPPING.match(line)
        if header is not None:
            start, end, mode, path = int(header[1], 16), int(header[2], 16), header[3], header[4]
            is_code = mode in {"r-xp", "r--p"} and path.startswith(f"{folder}/") and ".so" in path
            mapping = (start, end - start) if is_code else None
        elif mapping is not None and line.startswith("Anonymous:") and line.split()[1] == "0":
            yield mapping
