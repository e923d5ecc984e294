"""What a busy machine does to requests is told from what is slow by itself."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from busy_machine import KINDS, MINUTES, SLOW_AT_TIMES, make_hour

from spanglass_server.findings.agenda import MINUTE_NS
from spanglass_server.findings.detecting.stretch import read_stretch
from spanglass_server.findings.figures import is_current
from spanglass_server.findings.model import Kind
from spanglass_server.findings.store.database import statement
from spanglass_server.findings.store.store import FILE_NAME, FindingStore, Look
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from busy_machine import Made

    from conftest import TableSession

TOGETHER = 10  # minutes of a look


@pytest.mark.parametrize(
    ("busy", "each", "sorts"),
    [
        ({*range(9), *range(37, 46)}, 1, KINDS),
        ({*range(60)} - {*range(3, 60, 4)}, 1, KINDS),
        ((), 3, SLOW_AT_TIMES),
    ],
    ids=["twice", "mostly", "never"],
)
def test_a_busy_machine_is_no_finding(
    open_tables: Callable[..., TableSession], tmp_path: Path, busy: Container[int], each: int, sorts: Sequence[Made]
) -> None:
    """Of operations on a machine that is busy for a part of an hour, those are told that are slow without it."""
    rows, labels = make_hour(each, 14, busy, sorts)
    session, store = open_tables(spans=rows), FindingStore(tmp_path / FILE_NAME)
    for first in range(0, MINUTES, TOGETHER):
        window = Window(first * MINUTE_NS, (first + TOGETHER) * MINUTE_NS)
        found = read_stretch(session, window, window, doubted=store.doubted(window.end_ns))
        minutes = range(first + TOGETHER - 1, first - 1, -1)
        store.keep(Look(minutes, 1, found.sightings, alike=found.alike), window.end_ns)
    known = store.known(MINUTES * MINUTE_NS)
    store.close()

    told = {(one.place.kind.value, one.place.operation) for one in known if is_current(one, MINUTES * MINUTE_NS)}
    meant = {(kind, name) for kind, name, has_it in labels if has_it}
    assert told == meant


def test_gaps_of_an_older_server_are_doubted(tmp_path: Path) -> None:
    """A file of the first schema is taken over: its gaps are told of again when they last, the rest goes on."""
    with sqlite3.connect(tmp_path / FILE_NAME) as file:
        file.executescript(statement("schema_1"))
        for kind in (Kind.GAP, Kind.N_PLUS_ONE):
            row = (kind, "shop", "GET /", "x", "", "open", "", "", 0, 1, 2, "[]")
            id_ = file.execute(f"INSERT INTO findings VALUES (NULL{', ?' * len(row)})", row).lastrowid  # noqa: S608 - places
            file.execute("INSERT INTO sightings VALUES (?, 0, 9, 9, 9, 9)", (id_,))
        file.execute("PRAGMA user_version = 1")
    file.close()

    store = FindingStore(tmp_path / FILE_NAME)
    told = {one.place.kind: is_current(one, MINUTE_NS) for one in store.known(MINUTE_NS)}
    store.close()

    assert told == {Kind.GAP: False, Kind.N_PLUS_ONE: True}
