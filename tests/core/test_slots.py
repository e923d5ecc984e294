"""Colour slots of services."""

from __future__ import annotations

import pytest

from spanglass_core.slots import service_slot


@pytest.mark.parametrize(("name", "digest"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_slot_is_fnv_1a_modulo_ten(name, digest):
    """The slot follows the published FNV-1a test vectors, so every process agrees on it."""
    assert service_slot(name) == digest % 10
