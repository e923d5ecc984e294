"""Threads where gevent or eventlet may have replaced them, and names that modules took before from what was replaced.

``from ssl import SSLContext`` in urllib3, imported by us under ``spanglass run``, holds the class from before; gevent's
own takes its place in ``ssl``, and methods of the other then call themselves without end: every HTTPS request of the
application fails. Without us it would have imported these modules after the patching: so they get the new names.
"""

from __future__ import annotations

import _thread
import sys
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

# What an application does not import by itself before it patches, and we do.
_BROUGHT_ALONG = ("opentelemetry", "requests", "urllib3", "wrapt")
_PATCHED = ("_thread", "os", "queue", "select", "selectors", "signal", "socket", "ssl", "subprocess", "threading")


class References:
    """Names in the modules that we bring along: made before the patching, renewed after it, whatever became of it."""

    def __init__(self) -> None:
        """Note the references; those to ``ssl`` are taken away meanwhile, for gevent warns of those that it finds."""
        places: dict[int, tuple[Any, ModuleType, str]] = {}
        for library in (sys.modules[name] for name in _PATCHED if name in sys.modules):
            for name, value in vars(library).items():
                if callable(value):
                    places.setdefault(id(value), (value, library, name))
        self._noted: list[tuple[ModuleType, str, Any, ModuleType, str]] = []
        for module in list(_modules()):
            for name, value in list(vars(module).items()):
                held, library, original_name = places.get(id(value), (None, module, ""))
                if held is value and held is not None:
                    self._noted.append((module, name, value, library, original_name))
                    if library.__name__ == "ssl":
                        delattr(module, name)

    def renew(self) -> None:
        """Give each module what the standard library has now under the same name."""
        for module, name, value, library, original_name in self._noted:
            setattr(module, name, getattr(library, original_name, value))


def _modules() -> Iterator[ModuleType]:
    """Yield the modules that we brought along, each once: some stand under two names."""
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _BROUGHT_ALONG and module is not None and id(module) not in seen:
            seen.add(id(module))
            yield module


def are_green() -> bool:
    """Return whether what starts threads starts greenlets."""
    return not isinstance(_thread.start_new_thread, BuiltinFunctionType)


def start_native_thread(target: Callable[..., object], *args: object) -> None:
    """Start a thread of the system where ``are_green``, for what may not wait for greenlets."""
    if "gevent.monkey" in sys.modules:
        start = sys.modules["gevent.monkey"].get_original("_thread", "start_new_thread")
    else:
        start = sys.modules["eventlet.patcher"].original("_thread").start_new_thread
    start(target, args)
