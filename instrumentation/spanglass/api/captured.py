"""A call's arguments and result as attributes, where ``trace`` was asked to capture them."""

from __future__ import annotations

import inspect
import reprlib
from typing import TYPE_CHECKING, Any

from spanglass.errors import TracingError
from spanglass.guard import report
from spanglass.values import attribute_value, text_of
from spanglass_core.attribute_names import ARGUMENT_PREFIX, RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.util.types import AnyValue

__all__ = ["MAX_CAPTURED", "ArgumentReader", "captured_result"]

#: Most characters of one captured value: what is captured was not made to be read.
MAX_CAPTURED = 1_024

_SHOWN_AS_THEY_ARE = (str, bool, int, float)
_repr = reprlib.Repr()
_repr.maxlevel = 4
_repr.maxstring = _repr.maxother = _repr.maxlong = 200
_repr.maxtuple = _repr.maxlist = _repr.maxdict = _repr.maxset = 10


class ArgumentReader:
    """Finds a function's chosen arguments in its calls; ``chosen`` is True for all but ``self`` and ``cls``."""

    def __init__(self, function: Callable[..., Any], *, chosen: bool | Sequence[str]) -> None:
        label = getattr(function, "__qualname__", type(function).__qualname__)
        try:
            parameters = inspect.signature(function).parameters
        except ValueError:
            raise TracingError(f"{label} has no signature that says what to capture: leave capture_args out") from None
        names = {chosen} if isinstance(chosen, str) else None if isinstance(chosen, bool) else set(chosen)
        kinds = [parameter.kind for parameter in parameters.values()]
        unknown = sorted((names or set()) - set(parameters))
        if unknown:
            raise TracingError(
                f"{label} has no argument {unknown[0]!r} to capture; it has: {', '.join(parameters) or 'none'}"
            )
        self._wanted = [name for i, name in enumerate(parameters) if _wanted(name, i, names)]
        self._parameters = parameters
        self._positional = [
            name
            for name, kind in zip(parameters, kinds, strict=True)
            if kind in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
        ]

    def read(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, AnyValue]:
        """Return the attributes of one call: ``spanglass.argument.<name>``, defaults too."""
        try:
            given = {**dict(zip(self._positional, args, strict=False)), **kwargs}
            return {f"{ARGUMENT_PREFIX}{name}": _shown(self._value(name, given, args, kwargs)) for name in self._wanted}
        except Exception as error:  # noqa: BLE001 - a call with wrong arguments ends in its own TypeError soon
            report("capture arguments", error)
            return {}

    def _value(
        self, name: str, given: Mapping[str, object], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> object:
        parameter = self._parameters[name]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return list(args[len(self._positional) :])
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            return {key: value for key, value in kwargs.items() if key not in self._parameters}
        return given.get(name, parameter.default)


def captured_result(result: object) -> dict[str, AnyValue]:
    """Return the attribute of a call's result."""
    return {RESULT: _shown(result)}


def _wanted(name: str, place: int, names: set[str] | None) -> bool:
    return name in names if names is not None else not (place == 0 and name in {"self", "cls"})


def _shown(value: object) -> AnyValue:
    """Give simple values as they are, and of others what ``repr`` shows, bounded in depth and length."""
    if isinstance(value, _SHOWN_AS_THEY_ARE):
        return attribute_value(value, MAX_CAPTURED)
    return text_of(_repr.repr(value), MAX_CAPTURED)
