"""What waits for the application to import a library. Nothing is imported for it, and no import ever fails for it.

``wrapt`` runs the hooks, after the library's own import and before the application sees any of its names. It cannot
forget a hook, and fails the import if one raises: so it gets one hook a library, and what waits is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import wrapt

from spanglass.guard import guarded
from spanglass.process.locks import ModuleLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Act = Callable[[ModuleType], None]

_lock = ModuleLock()
_waiting: dict[str, list[tuple[str, Act]]] = {}  # by the name of a module that wrapt watches


def when_imported(name: str, act: Act, *, doing: str) -> Callable[[], None]:
    """Call ``act`` with the module ``name`` when it is imported, at once if it is; returns what ends the waiting.

    ``doing`` is for the report if ``act`` fails: it completes "could not ...".
    """
    waits = (doing, act)
    with _lock:
        watched = name in _waiting
        _waiting.setdefault(name, []).append(waits)
    if not watched:
        wrapt.register_post_import_hook(lambda module: _imported(name, module), name)

    def forget() -> None:
        with _lock:
            if waits in _waiting.get(name, ()):
                _waiting[name].remove(waits)

    return forget


def _imported(name: str, module: ModuleType) -> None:
    with _lock:
        acts = _waiting.pop(name, [])
    for doing, act in acts:
        with guarded(doing):
            act(module)
