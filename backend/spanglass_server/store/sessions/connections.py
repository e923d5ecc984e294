"""DuckDB's connections: locked down, and made anew now and then.

DuckDB 1.5.5 remembers the footer of every Parquet file it has read, which saves 1 ms a file and query, and never
forgets one: 0.1 MB for each file that compaction has long replaced, 124 MB an hour under a demo's load. So after some
changes of what is stored the next query gets new connections, and the old ones go with the last query that uses them.

Memory that a statement has freed goes back to the system in a thread of DuckDB's allocator, one for the whole process,
which an instance turns off for all when it is closed, or opened without it (1.5.5). So each that the server opens has
it on, and it is turned on again whenever one was closed: under a demo's load 5 MB are free and still held, and were 28.

For each value that is bound its Python client imports pandas to see whether the value is one of pandas' own. Where that
is not installed all of ``sys.path`` is searched each time, 0.12 ms a value; here it is remembered, 0.02 ms.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import duckdb

from spanglass_server.signals import quote_text
from spanglass_server.store.segment_files.segments import RECORD_FOLDERS
from spanglass_server.store.sessions.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Changes of the store that a pair of connections lives through; each leaves up to three files behind.
_CHANGES_MAX = 48
#: What was freed goes back within seconds, also if its thread has no other query.
_GIVES_BACK = "allocator_background_threads"


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What queries may use."""

    memory_bytes: int
    threads: int
    max_concurrent: int


@dataclass(slots=True)
class Pair:
    """A connection for queries and one with a single thread, that of lookups too, and how many use them."""

    queries: duckdb.DuckDBPyConnection
    single: duckdb.DuckDBPyConnection
    lookup: Lookup
    version: int  # of the store when they were made
    users: int = 0

    def close(self) -> None:
        """Release both."""
        self.lookup.close()
        self.queries.close()
        with beside().cursor() as cursor:
            cursor.execute(f"SET {_GIVES_BACK} = true")


class _Absent:
    """Says for all importers that a package is not installed. An import of it fails as it would have, only sooner."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the package and leave all others to the finders behind."""
        del path, target
        if name == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _remember_absence(package: str) -> None:
    """Let imports of a package that is not installed fail without a search, from now on."""
    is_known = any(isinstance(finder, _Absent) and finder.package == package for finder in sys.meta_path)
    with suppress(ModuleNotFoundError):  # the process may refuse it already
        if not is_known and package not in sys.modules and find_spec(package) is None:
            sys.meta_path.insert(0, _Absent(package))


class Connections:
    """Hands out the current pair. Thread-safe."""

    def __init__(self, data_dir: Path, limits: EngineLimits) -> None:
        self._data_dir = data_dir
        self._limits = limits
        self._lock = threading.Lock()
        _remember_absence("pandas")
        self._current = self._make(0)

    @contextmanager
    def use(self, version: int) -> Iterator[Pair]:
        """The pair for a query of the store at ``version``, held open until the block ends."""
        with self._lock:
            retired = None
            if version - self._current.version >= _CHANGES_MAX:
                retired, self._current = self._current, self._make(version)
            pair = self._current
            pair.users += 1
        if retired is not None and not retired.users:
            retired.close()
        try:
            yield pair
        finally:
            with self._lock:
                pair.users -= 1
                is_over = not pair.users and pair is not self._current
            if is_over:
                pair.close()

    def _make(self, version: int) -> Pair:
        limits = self._limits
        single = _connect(self._data_dir, 1, limits.memory_bytes)
        return Pair(
            _connect(self._data_dir, limits.threads, limits.memory_bytes),
            single,
            Lookup(single, limits.max_concurrent),
            version,
        )

    def close(self) -> None:
        """Release the current pair; no query may be under way."""
        self._current.close()


@cache
def beside() -> duckdb.DuckDBPyConnection:
    """Open an empty database beside the data, without worker threads and not locked; take a cursor. 2.6 MB."""
    return duckdb.connect(":memory:", config={"threads": 1, _GIVES_BACK: "true"})


def _connect(data_dir: Path, threads: int, memory_bytes: int) -> duckdb.DuckDBPyConnection:
    """A connection that may open nothing but stored files of records, and can't be reconfigured."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{memory_bytes}B",
            "max_temp_directory_size": "0B",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "false",
            _GIVES_BACK: "true",
            # a join would push Bloom filters into scans of Arrow tables, which refuse them (DuckDB 1.5.5)
            "disabled_optimizers": "join_filter_pushdown",
        },
    )
    directories = ", ".join(quote_text(f"{data_dir}/{folder}/") for folder in RECORD_FOLDERS)
    for setting in (
        "parquet_metadata_cache = true",
        "TimeZone = 'UTC'",
        f"allowed_directories = [{directories}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection
