"""Wrappers that are what they wrap: a function with its parameters and of its kind, or an object around a callable one.

A generator function or coroutine function binds its arguments when it is called, and runs later. A wrapper of these
kinds that took ``*args`` would refuse wrong arguments later too. So it is compiled with the parameters of the function.
"""

from __future__ import annotations

import copy
import functools
import types
from inspect import CO_ITERABLE_COROUTINE, CO_VARARGS, CO_VARKEYWORDS
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _FunctionWrapper = wrapt.FunctionWrapper[..., Any]
    _Proxy = wrapt.ObjectProxy[Any]
else:  # subscripts are only for the type checker
    _FunctionWrapper = wrapt.FunctionWrapper
    _Proxy = wrapt.ObjectProxy

__all__ = ["alike", "around", "is_plain_function"]


class _Parameters(NamedTuple):
    """What stands in a function's head, and how the same is passed on."""

    head: str
    args: str  # a tuple of all that is passed by position
    kwargs: str  # a dictionary of the others
    passed: str


_ANY = _Parameters("*args, **kwargs", "args", "kwargs", "*args, **kwargs")


_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)


def is_plain_function(function: object) -> bool:
    """Return whether this is a function or method: anything else that can be called is an object with more to it."""
    return isinstance(function, _FUNCTIONS) or hasattr(type(function), "__code__")  # the second is compiled by Cython


def alike(function: Callable[..., Any], template: str, **names: object) -> Callable[..., Any]:
    """Compile a template that defines ``made``, with the parameters of a function whose kind it has.

    In it ``{head}`` are the parameters, ``{args}``, ``{kwargs}`` and ``{passed}`` what is passed on; other names begin
    with ``spanglass_``, and ``names`` gives some of them values.
    """
    inner = getattr(function, "__func__", function)
    parameters = _parameters(inner, bound=inner is not function)
    # the frames are ours, so that no stack trace shows them as the application's
    scope: dict[str, Any] = {"__name__": __name__, "spanglass_function": function, **names}
    exec(compile(template.format(**parameters._asdict()), "<spanglass>", "exec"), scope)  # noqa: S102 - as dataclasses do
    made: Any = functools.wraps(function)(scope["made"])
    if parameters is not _ANY:
        made.__defaults__, made.__kwdefaults__ = inner.__defaults__, inner.__kwdefaults__
    if getattr(inner, "__code__", None) is not None and inner.__code__.co_flags & CO_ITERABLE_COROUTINE:
        made = types.coroutine(made)
    return made  # type: ignore[no-any-return]


def _parameters(function: Any, *, bound: bool) -> _Parameters:
    """Read the parameters that the interpreter binds, not those that a signature claims."""
    if not isinstance(function, types.FunctionType):
        return _ANY
    code = function.__code__
    names = list(code.co_varnames)
    if not all(name.isidentifier() and not iskeyword(name) for name in names):
        return _ANY
    by_position, by_keyword = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    positional, keyword = names[:by_position], names[by_position:by_keyword]
    rest, more = code.co_flags & CO_VARARGS, code.co_flags & CO_VARKEYWORDS
    if bound and not positional:
        return _ANY
    only = code.co_posonlyargcount
    args_name = names[by_keyword] if rest else ""
    kwargs_name = names[by_keyword + bool(rest)] if more else ""
    skipped = 1 if bound else 0
    positional, only = positional[skipped:], max(only - skipped, 0)
    head = [*positional[:only], *(["/"] if only else []), *positional[only:]]
    head += [f"*{args_name}"] if rest else ["*"] if keyword else []
    head += [*keyword, *([f"**{kwargs_name}"] if more else [])]
    passed = [*positional, *([f"*{args_name}"] if rest else [])]
    named = [*(f"{name}={name}" for name in keyword), *([f"**{kwargs_name}"] if more else [])]
    items = [*(f"{name!r}: {name}" for name in keyword), *([f"**{kwargs_name}"] if more else [])]
    return _Parameters(", ".join(head), f"({_joined(passed)})", f"{{{', '.join(items)}}}", ", ".join([*passed, *named]))


def _joined(items: Sequence[str]) -> str:
    return "".join(f"{item}, " for item in items)


class _AsItself:
    """Copies and pickles of what stands for an object are those of the object."""

    __wrapped__: Any

    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce__(self) -> Any:
        return self.__wrapped__.__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


class _Descriptor(_AsItself, _FunctionWrapper):
    """Stands for what becomes a method in a class, such as functools.cache makes."""


class _Object(_AsItself, _Proxy):
    """Stands for any other object; each has a class of its own with the ``__call__``."""


def around(function: Any, calls: Callable[..., Any]) -> Callable[..., Any]:
    """Make what has all that a callable object has, and is called by ``calls``, which has the object itself."""
    if not hasattr(type(function), "__get__"):
        # static, so that whoever asks it what kind of function it is gets the answer of `calls`
        made: Callable[..., Any] = type(_Object.__name__, (_Object,), {"__call__": staticmethod(calls)})(function)
        return made

    def call(_: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return calls(*args, **kwargs) if instance is None else calls(instance, *args, **kwargs)

    return _Descriptor(function, call)
