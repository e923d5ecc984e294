"""Names that were imported before their instrumentation: whoever holds one calls the original ever after."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.instrumentors.table import REPLACED_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping


def originals(name: str) -> dict[str, Any]:
    """Return the functions and classes that an instrumentation will replace, by their path, as far as imported."""
    found = {}
    for path in REPLACED_NAMES.get(name, ()):
        module, _, attribute = path.rpartition(".")
        if module in sys.modules and hasattr(sys.modules[module], attribute):
            found[path] = getattr(sys.modules[module], attribute)
    return found


def holders(replaced: Mapping[str, Any]) -> dict[str, list[str]]:
    """Find the modules that hold an original as a name of their own, by its path: ``{"sqlite3.connect": ["shop.db"]}``.

    Goes through every module's names, 10 ms for a large application, so only ask for what was imported before.
    """
    if not replaced:
        return {}
    by_id = {id(value): path for path, value in replaced.items()}
    packages = {path.partition(".")[0] for path in replaced}
    found: dict[str, list[str]] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0].lstrip("_") in packages:  # the library itself
            continue
        for path in {
            by_id[id(value)] for value in list(getattr(module, "__dict__", {}).values()) if id(value) in by_id
        }:
            found.setdefault(path, []).append(name)
    return found
