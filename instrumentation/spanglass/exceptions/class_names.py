"""The name of a class, as ``exception.type`` has it."""

from __future__ import annotations

from spanglass.values import text_of

_MAX_NAME = 200


def class_name(kind: type) -> str:
    """Return a class's qualified name, builtins without their module; a metaclass of the application is not asked."""
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__qualname__")
    if type(module) is not str or module == "builtins":
        return text_of(name, _MAX_NAME)
    return text_of(f"{module}.{name}", _MAX_NAME)
