"""Colour slots of services."""

from __future__ import annotations

import pytest

from spanglass_core.slots import choose_slot, service_slot


@pytest.mark.parametrize(("name", "digest"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_slot_is_fnv_1a_modulo_ten(name, digest):
    """The slot follows the published FNV-1a test vectors, so every process agrees on it."""
    assert service_slot(name) == digest % 10


@pytest.mark.parametrize(
    ("taken", "slot"),
    [(set(), 0), ({9, 1}, 0), ({0}, 1), ({0, 1, 3}, 2), ({0, 1, 2, 3, 4, 5, 6, 7, 8}, 9), (set(range(10)), 0)],
)
def test_a_new_service_takes_a_free_slot(taken, slot):
    """The slot of the hash if it is free, else the next free one; when all are taken that of the hash."""
    assert service_slot("a") == 0
    assert choose_slot("a", taken) == slot


def test_choosing_goes_round():
    """After slot 9 comes slot 0."""
    last = next(name for name in map(str, range(100)) if service_slot(name) == 9)
    assert choose_slot(last, {9}) == 0
