"""Names of PHP's functions: alike in its own form, in that of OpenTelemetry PHP, and in all versions."""

from __future__ import annotations

import re

_ANONYMOUS = re.compile(r"@anonymous\x00?.{0,600}?(?=::|->|$)")


def of_php(call: str) -> tuple[str, str]:
    r"""Return namespace and function of a call: ``App``, ``App\Stock::take`` of ``App\Stock->take(3, Array)``."""
    closure = call.find("{closure")
    end = call.find("(", call.find("}", closure) if closure >= 0 and "(" not in call[:closure] else 0)
    name = (call if end < 0 else call[:end]).strip()
    name = _ANONYMOUS.sub("@anonymous", name)
    owner, separator, method = name.replace("->", "::", 1).partition("::")
    if "{closure" in owner:  # {closure:App\Stock::take():12} of no class
        return "", "{closure}"
    if not separator:
        return owner.rpartition("\\")[0], owner
    return owner.rpartition("\\")[0], f"{owner}::{'{closure}' if '{closure' in method else method}"


def of_dots(name: str) -> tuple[str, str]:
    """Return the same of ``App.Stock.take``; a function of no class can't be told from a method of a class there."""
    closure = name.find("{closure")
    if closure >= 0:
        owner = name[:closure].rstrip(".").split(".") if closure else []
        for length in range(len(owner) // 2, 0, -1):  # App.Stock.App.{closure}: its namespace once more
            if owner[-length:] == owner[:length] and len(owner) > length:
                owner = owner[:-length]
                break
        method = "{closure}"
    else:
        *owner, method = name.split(".")
    if not owner:
        return "", method
    return "\\".join(owner[:-1]), "\\".join(owner) + f"::{method}"


def source_type(name: str) -> str:
    """A type without what PHP adds to those that have no name: file, line and address."""
    return name.partition("\x00")[0]
