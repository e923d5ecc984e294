"""gevent and eventlet, where they replace threads, locks and sockets after we have begun, as under ``spanglass run``.

A lock or event made before would stop all greenlets of its thread when one of ours waits for it. So after the patching
all parts begin anew as in a forked child: new locks and events, threads as soon as there is something to do. The thread
that collects metrics ends before: one that was begun before the patching is an error to ``threading`` when it ends.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace
from spanglass.process import forking
from spanglass.sdk.private.metrics import pause_readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.metrics import MeterProvider

#: The function of each that replaces parts of the standard library.
_PATCHERS = {"gevent.monkey": "patch_all", "eventlet": "monkey_patch"}


def begin_anew_when_patched(provider: MeterProvider) -> Callable[[], None]:
    """Have all parts and the provider's readers begin anew after the application has patched; returns what ends it."""
    undo: list[Callable[[], None]] = []
    for module, function in _PATCHERS.items():

        def watch(patcher: ModuleType, function: str = function) -> None:
            undo.append(replace(patcher, function, partial(_around, provider)))

        undo.append(when_imported(module, watch, doing=f"watch {module} patch"))

    def take_back() -> None:
        while undo:
            undo.pop()()

    return take_back


def _around(provider: MeterProvider, replaced: Replacement) -> Callable[..., Any]:
    def patch(*args: Any, **kwargs: Any) -> Any:
        """Patch the standard library."""
        if not replaced.active:
            return replaced.original(*args, **kwargs)
        with guarded("pause before the application patches"):
            resume = pause_readers(provider)
        result = replaced.original(*args, **kwargs)
        forking.begin_anew()
        with guarded("go on after the application has patched"):
            resume()
        return result

    return patch
