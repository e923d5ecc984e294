"""What waits for imports of the application."""

from __future__ import annotations

import importlib
import sys

import pytest

from spanglass import guard
from spanglass.patching.imports import when_imported


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Yield the name of a library that is not imported yet."""
    name = f"library_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text("VALUE = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def test_what_waits_is_called_in_order_after_the_import(library):
    """What waits gets the finished module, in the order in which it was said; what comes afterwards gets it at once."""
    got = []
    for number in (1, 2):
        when_imported(library, lambda module, number=number: got.append((number, module.VALUE)), doing="test")
    assert got == []

    importlib.import_module(library)
    when_imported(library, lambda module: got.append((3, module.VALUE)), doing="test")

    assert got == [(1, 7), (2, 7), (3, 7)]


def test_what_was_taken_back_is_not_called(library):
    """After taking back nothing happens, to the others neither."""
    got = []
    forget = when_imported(library, lambda _: got.append("forgotten"), doing="test")
    when_imported(library, lambda _: got.append("kept"), doing="test")
    forget()
    importlib.import_module(library)
    forget()

    assert got == ["kept"]


def test_what_fails_does_not_fail_the_import(library, monkeypatch):
    """The import succeeds, what waits besides is called, and the failure is counted."""
    monkeypatch.delenv(guard.STRICT_VARIABLE)
    got = []
    when_imported(library, lambda _: 1 // 0, doing="divide by zero in a test")
    when_imported(library, lambda _: got.append("called"), doing="test")

    assert importlib.import_module(library).VALUE == 7
    assert (got, guard.failures["divide by zero in a test"]) == (["called"], 1)
