"""FastAPI, Starlette and Flask: each application is instrumented, however its class was imported, and whenever.

Upstream puts a class of its own in the place of ``fastapi.FastAPI``, so ``from fastapi import FastAPI`` above
``spanglass.configure()`` is missed, and so is an application that exists already. Here the class stays what it is, and
the application is handed to upstream's ``instrument_app`` when it is made or begins to serve.
"""

from __future__ import annotations

import functools
import threading
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from spanglass.guard import guarded
from spanglass.process import forking

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "_is_instrumented_by_opentelemetry"  # upstream's, on the application


def fastapi(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Instrument each FastAPI application when it builds its middleware, which is before its first request."""
    del late
    return _asgi(import_module("fastapi.applications").FastAPI, instrumentor, options)


def starlette(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """The same for Starlette; FastAPI has a ``build_middleware_stack`` of its own."""
    del late
    return _asgi(import_module("starlette.applications").Starlette, _StarletteSpans(instrumentor), options)


def flask(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Instrument each Flask application when it is made; those that exist, if any may, at their next request."""
    owner = import_module("flask").Flask
    adopt = _Adoption(instrumentor, options)
    original = owner.__init__

    @functools.wraps(original)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        adopt(self)

    undo = [_patch(owner, "__init__", made), adopt.take_back]
    if late:
        undo.insert(0, _patch(owner, "__call__", _served(owner.__call__, adopt)))
    return partial(_all, undo)


def _all(undo: list[Callable[[], None]]) -> None:
    for each in undo:
        each()


def _served(original: Callable[..., Any], adopt: _Adoption) -> Callable[..., Any]:
    @functools.wraps(original)
    def served(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask takes no more hooks after the first request
        if not getattr(self, _MARK, False) and not getattr(self, "_got_first_request", False):
            adopt(self)
        return original(self, *args, **kwargs)

    return served


def _asgi(owner: Any, instrumentor: Any, options: dict[str, Any]) -> Callable[[], None]:
    adopt = _Adoption(instrumentor, options)
    original = owner.build_middleware_stack

    @functools.wraps(original)
    def build_middleware_stack(self: Any) -> Any:
        if not getattr(self, _MARK, False):
            adopt(self)
            if getattr(self, _MARK, False):
                return self.build_middleware_stack()  # upstream may have put its own on the application
        return original(self)

    return partial(_all, [_patch(owner, "build_middleware_stack", build_middleware_stack), adopt.take_back])


class _Adoption:
    """Hands applications to upstream, once each, and remembers them."""

    def __init__(self, instrumentor: Any, options: dict[str, Any]) -> None:
        self._instrumentor = instrumentor
        self._options = options
        self._adopted: WeakSet[Any] = WeakSet()
        self._renew()
        self._forget = forking.in_child(self._renew)

    def __call__(self, app: Any) -> None:
        with self._lock, guarded("instrument a web application"):
            if not getattr(app, _MARK, False):
                self._instrumentor.instrument_app(app, **self._options)
                self._adopted.add(app)

    def take_back(self) -> None:
        """Give applications back as they were."""
        self._forget()
        for app in list(self._adopted):
            with guarded("take the instrumentation of a web application back"):
                self._instrumentor.uninstrument_app(app)
        self._adopted.clear()

    def _renew(self) -> None:
        self._lock = threading.RLock()  # a forked child's may be held by a thread that it does not have


class _StarletteSpans:
    """Upstream's instrumentor of Starlette, with ``exclude_spans``, which its middleware takes and it does not."""

    def __init__(self, instrumentor: Any) -> None:
        self._instrumentor = instrumentor
        self.uninstrument_app = instrumentor.uninstrument_app

    def instrument_app(self, app: Any, exclude_spans: list[str] | None = None, **options: Any) -> None:
        """Instrument an application that has not built its middleware."""
        options.pop("logger_provider", None)
        self._instrumentor.instrument_app(app, **options)
        if exclude_spans:
            for each in app.user_middleware:
                if each.cls.__name__ == "OpenTelemetryMiddleware":
                    each.kwargs.setdefault("exclude_spans", exclude_spans)


def _patch(owner: Any, name: str, made: Callable[..., Any]) -> Callable[[], None]:
    """Set an attribute of a class; gives what takes it back, unless somebody else has set it since."""
    original = owner.__dict__[name]
    setattr(owner, name, made)

    def undo() -> None:
        if owner.__dict__.get(name) is made:
            setattr(owner, name, original)

    return undo
