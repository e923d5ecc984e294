"""Trying instrumentations, in a process of its own."""

from __future__ import annotations

from spanglass.cli.diagnosis.loading import failures

NEWER_PYTHON = """
import importlib.metadata as metadata

class ByName(tuple):
    __slots__ = ()
    def __getitem__(self, name):
        raise KeyError(name)

original = metadata.entry_points
metadata.entry_points = lambda **wanted: ByName(original(**wanted))
"""


def test_entry_points_that_have_only_names(tmp_path, monkeypatch):
    """From Python 3.12 on entry points can't be had by their place, which reversing them would ask for."""
    (tmp_path / "sitecustomize.py").write_text(NEWER_PYTHON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert failures(["sqlite3", "urllib"]) == {}
