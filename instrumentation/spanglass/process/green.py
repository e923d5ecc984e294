"""gevent and eventlet, where they replace threads, locks and sockets after we have begun, as under ``spanglass run``.

A lock or event made before would stop all greenlets of its thread when one of ours waits for it. So after the patching
all parts begin anew as in a forked child: new locks and events, threads as soon as there is something to do. Our
threads end before: one that was begun before the patching waits for what is no longer there when it looks again.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace
from spanglass.process import forking
from spanglass.process.greenlets import References
from spanglass.sdk.private.metrics import pause_readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.metrics import MeterProvider

#: The function of each that replaces parts of the standard library.
_PATCHERS = {"gevent.monkey": "patch_all", "eventlet": "monkey_patch"}


def begin_anew_when_patched(provider: MeterProvider) -> Callable[[], None]:
    """Have all parts and the provider's readers begin anew after the application has patched; returns what ends it."""
    watching = ExitStack()
    for module, function in _PATCHERS.items():

        def watch(patcher: ModuleType, function: str = function) -> None:
            watching.callback(replace(patcher, function, partial(_around, provider)))

        watching.callback(when_imported(module, watch, doing=f"watch {module} patch"))
    return watching.close


def _around(provider: MeterProvider, replaced: Replacement) -> Callable[..., Any]:
    def patch(*args: Any, **kwargs: Any) -> Any:
        """Patch the standard library."""
        if not replaced.active:
            return replaced.original(*args, **kwargs)
        resume = pause_readers(provider)
        forking.end_threads()
        references = References()
        try:
            return replaced.original(*args, **kwargs)
        finally:
            references.renew()
            forking.begin_anew()
            resume()

    return patch
