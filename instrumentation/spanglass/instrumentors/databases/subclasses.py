"""Classes of a driver with spans: real subclasses, which C code and ``isinstance`` take for the driver's.

A class that the application derived stays as it is, and what it inherits from is replaced: its ``super().execute()``
calls ours, which calls the driver's. Nothing is added to an object: one without ``__dict__`` has none.
"""

from __future__ import annotations

from abc import ABCMeta
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from spanglass.guard import swallow

if TYPE_CHECKING:
    from collections.abc import Callable

    Method = Callable[..., Any]

#: Classes that are kept; an application has a few, unless it makes them in functions.
_MOST_CLASSES = 128


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A class of a driver, its subclass that makes spans, and how a method becomes one that does."""

    driver: type
    traced: type
    methods: tuple[str, ...]
    around: Callable[[Method], Method]


class DriversName(type):
    """Gives a class both names of the driver's: ``__name__``, and the one with the module, in messages of C code."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        """Return the name without the module."""
        return cls.__qualname__


@lru_cache(_MOST_CLASSES)
def stand_in(family: Family) -> type:
    """Make the class that is used in place of the driver's own."""
    driver = family.driver
    return DriversName(f"{driver.__module__}.{driver.__name__}", (family.traced,), _likeness(driver))


def with_spans(factory: Any, family: Family) -> Any:
    """Return a factory of objects with spans for one that the application gave; as it is if there is no way.

    It is a subclass of the driver's class, a ``partial`` of one, or any other callable.
    """
    if type(factory) is partial:
        inner = with_spans(factory.func, family)
        return factory if inner is factory.func else partial(inner, *factory.args, **factory.keywords)
    if factory is family.driver:
        return stand_in(family)
    if not isinstance(factory, type) or not issubclass(factory, family.driver) or issubclass(factory, family.traced):
        return factory
    try:
        kind: Any = factory
        return _derived(kind, family) if _may_be_derived(kind) else factory
    except Exception as error:  # noqa: BLE001 - a class of the application's own may do anything when it is derived
        swallow("derive a class of a database driver", error)
        return factory


def _may_be_derived(kind: type) -> bool:
    """Whether nobody notices: no code of the application's runs when its class is derived."""
    return type(kind) in {type, ABCMeta} and not any("__init_subclass__" in vars(base) for base in kind.__mro__[:-1])


@lru_cache(_MOST_CLASSES)
def _derived(kind: type, family: Family) -> type:
    return type(kind)(kind.__name__, (kind, family.traced), _likeness(kind) | _unseen(kind, family))


def _likeness(kind: type) -> dict[str, Any]:
    return {
        "__slots__": (),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__class__": property(lambda _self: kind),
    }


def _unseen(kind: type, family: Family) -> dict[str, Method]:
    """Return methods for those of the application that call the driver's class by its name, and so pass ours by."""
    found = {}
    for name in family.methods:
        own = getattr(kind, name)
        used = getattr(getattr(own, "__code__", None), "co_names", ())
        if family.driver.__name__ in used and "super" not in used:
            found[name] = family.around(own)
    return found
