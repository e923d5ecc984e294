"""Script modules put together into one text, for a page that stands in a file: browsers load no modules from files.

It knows the forms of ``import`` and ``export`` that our own modules have, each on a line of its own; others are
refused.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "(\.[^"]*)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function|class) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def bundle(files: Mapping[str, bytes], entry: str, instead: Mapping[str, str]) -> str:
    """Return a script that does what loading ``entry`` does. ``files`` are by path, as are those used ``instead``.

    Each module becomes a function that is called once, after those it imports. Raises ValueError for a form of import
    or export that it does not know, and for modules that import each other.
    """
    parts: dict[str, str] = {}
    _add(files, entry, instead, parts, ())
    return "(() => {\n" + "\n".join(parts.values()) + "\n})();\n"


def _add(
    files: Mapping[str, bytes], name: str, instead: Mapping[str, str], parts: dict[str, str], above: tuple[str, ...]
) -> None:
    if name in parts:
        return
    if name in above:
        raise ValueError(f"{name} imports itself, by way of {', '.join(above)}")
    text = files[name].decode()
    for imported in _imported(name, text, instead):
        _add(files, imported, instead, parts, (*above, name))
    parts[name] = _as_function(name, text, instead)


def _imported(name: str, text: str, instead: Mapping[str, str]) -> Iterator[str]:
    for found in _IMPORT.finditer(text):
        yield _resolved(name, found[2], instead)


def _resolved(name: str, path: str, instead: Mapping[str, str]) -> str:
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    return instead.get(resolved, resolved)


def _as_function(name: str, text: str, instead: Mapping[str, str]) -> str:
    exported = _EXPORT.findall(text)

    def taken(found: re.Match[str]) -> str:
        names = found[1].removeprefix("* as ").replace(" as ", ": ")
        return f"const {names} = {_variable(_resolved(name, found[2], instead))};"

    body = _EXPORT.sub("", _IMPORT.sub(taken, text))
    unknown = _OTHER.search(body)
    if unknown is not None:
        raise ValueError(f"{name}: {unknown[0]!r} cannot be put into one script")
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _variable(name: str) -> str:
    return "m_" + re.sub(r"\W", "_", name)
