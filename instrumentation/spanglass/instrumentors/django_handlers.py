"""Django: its middleware is added when a handler loads the list, for only then are the settings sure to be there.

Upstream reads ``settings`` at once. Django's own ``wsgi.py`` imports Django before it names the settings module, and
upstream would then put empty settings in the place of the application's.
"""

from __future__ import annotations

import functools
import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def when_handlers_load(turn_on: Callable[[], None]) -> Callable[[], None]:
    """Call ``turn_on`` once, before the next handler loads its middleware; gives what takes that back."""
    owner = import_module("django.core.handlers.base").BaseHandler
    original = owner.load_middleware
    waiting = [turn_on]

    @functools.wraps(original)
    def load_middleware(self: Any, *args: Any, **kwargs: Any) -> Any:
        while waiting:
            waiting.pop()()
        return original(self, *args, **kwargs)

    owner.load_middleware = load_middleware

    def undo() -> None:
        waiting.clear()
        if owner.load_middleware is load_middleware:
            owner.load_middleware = original

    return undo


def serving_already() -> bool:
    """Whether a handler has loaded its middleware. Looks at every object there is, so only ask in a late start."""
    owner = import_module("django.core.handlers.base").BaseHandler
    return any(
        isinstance(each, owner) and getattr(each, "_middleware_chain", None) is not None for each in gc.get_objects()
    )
