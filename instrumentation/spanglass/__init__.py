"""Spanglass on the application's side: ``import spanglass`` costs nothing until something of it is used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanglass.setup import configure, force_flush, shutdown

__all__ = ["configure", "force_flush", "shutdown"]

# Where each name is; imported when it is first asked for, so that the command line stays quick (PEP 562).
_PLACES = {
    "configure": "spanglass.setup",
    "force_flush": "spanglass.setup",
    "shutdown": "spanglass.setup",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'spanglass' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    setattr(sys.modules[__name__], name, value)  # not globals(): that is a module of this package
    return value


def __dir__() -> list[str]:
    """List the public names, for completion."""
    return sorted({*vars(sys.modules[__name__]), *__all__})
