"""Names that compilers of .NET make up for what has none, as the source code has them."""

from __future__ import annotations

import re
from functools import lru_cache

_ARGUMENTS = re.compile(r"\[[^\[\]]{0,300}\]")
_ARITY = re.compile(r"`\d+(?:\[[^\]]{0,300}\]+)?")
_FILE_TYPE = re.compile(r"<\w+>F[0-9A-F]{16,}__")
_MONO_CLOSURE = re.compile(r"<(\w+)>c__AnonStorey\d+")
_CLOSURE = re.compile(r"<>c(?:__DisplayClass[\d_]+)?\b[.+]?")
_STATE_MACHINE = re.compile(r"^(?:<(?P<cs>.+)>d(?:__[\d_]+)?|VB\$StateMachine_\d+_(?P<vb>\w+))$")
_FSHARP_CLOSURE = re.compile(r"@\d+(?:-\d+)?")
_LAMBDA = re.compile(r"^<(.*)>[bm]__[\d_]+$")
_LOCAL = re.compile(r"^<(.*)>g__(\w+)\|[\d_]+$")
_DYNAMIC = re.compile(r"^(lambda_method|CallSite\.Target|DynamicClass\.\w*?)\d*$")


@lru_cache(maxsize=4096)  # a process has few names, and each occurrence has them again
def source_name(name: str) -> tuple[str, str]:
    """Return namespace and function: ``Shop``, ``Stock.Take`` of ``Shop.Stock.<Take>d__5.MoveNext``."""
    name = _ARGUMENTS.sub("", _ARITY.sub("", name))
    if dynamic := _DYNAMIC.match(name):
        return "", dynamic[1]
    name = _MONO_CLOSURE.sub(r"\1", _FSHARP_CLOSURE.sub("", name))
    name = _CLOSURE.sub("", _FILE_TYPE.sub("", name).replace("<Main>$", "Main"))
    *owner, method = _split(name)
    if owner and method == "MoveNext" and _STATE_MACHINE.match(owner[-1]):
        method = owner.pop()
    return ".".join(owner[:-1]), ".".join([*owner[-1:], *_source_method(method)])


def stable_type(name: str) -> str:
    """A type without the number of its type parameters, nested ones behind a dot."""
    return _ARITY.sub("", name).replace("+", ".")


def _split(name: str) -> list[str]:
    """Split at dots and pluses, but not in angle brackets; constructors keep their dot: ``.ctor``."""
    parts = [""]
    depth = 0
    for index, character in enumerate(name):
        depth += (character == "<") - (character == ">")
        if character in ".+" and depth <= 0 and parts[-1] and index + 1 < len(name):
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _source_method(name: str) -> list[str]:
    """The methods of the source that a made-up one stands for, outermost first."""
    if found := _STATE_MACHINE.match(name):  # <<Run>b__0>d: an asynchronous lambda
        name = found["cs"] or found["vb"]
    if found := _LAMBDA.match(name):
        return _source_method(found[1])
    if found := _LOCAL.match(name):
        return [*_source_method(found[1]), found[2]]
    return [name] if name else []
