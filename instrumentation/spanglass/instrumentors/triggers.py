"""Which imports an instrumentation waits for: by the table, or else by what its distribution says it instruments.

Nothing is imported to find out, and nothing parsed that takes long: this runs at the start of every application.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from spanglass.instrumentors.table import OPTIONAL_LIBRARIES, TRIGGERS
from spanglass.patching.imports import when_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

#: Extras by which a distribution names its libraries: it needs each of the first, and one of the second.
_EACH, _ANY = "instruments", "instruments-any"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*extra\s*==\s*['\"](instruments|instruments-any)['\"]")
_PACKAGE = re.compile(r"^([\w/]+)/__init__\.py,", re.MULTILINE)
_MODULE = re.compile(r"^(\w+)\.(?:py|so|pyd|[\w-]+\.so),", re.MULTILINE)
#: Folders that some distributions install beside their packages, by mistake.
_ASIDE = frozenset({"docs", "examples", "scripts", "test", "tests"})


class Awaited(NamedTuple):
    """Groups of modules; one of each group has to be imported. ``missing`` names a library that is not installed."""

    groups: tuple[tuple[str, ...], ...] = ()
    missing: str = ""


def awaited(entry: EntryPoint) -> Awaited:
    """Return what an instrumentation waits for; no groups if nobody knows, and it is turned on at once."""
    if entry.name in TRIGGERS:
        return Awaited(((TRIGGERS[entry.name],),))
    try:
        return _derived(entry)
    except Exception:  # noqa: BLE001 - metadata that can't be read is reported where the instrumentation is turned on
        return Awaited()


def _derived(entry: EntryPoint) -> Awaited:
    each, any_of = named_libraries(entry)
    groups = [modules_of(name) for name in each]
    if absent := [name for name, group in zip(each, groups, strict=True) if group is None]:
        return Awaited(missing=absent[0])
    if any_of:
        found = [group for name in any_of if (group := modules_of(name)) is not None]
        if not found:
            return Awaited(missing=any_of[0])
        groups.append(tuple(module for group in found for module in group))
    return Awaited(tuple(group for group in groups if group))


def named_libraries(entry: EntryPoint) -> tuple[list[str], list[str]]:
    """Return the libraries of an instrumentation, as its distribution names them: all it needs, and alternatives."""
    found: dict[str, list[str]] = {_EACH: [], _ANY: []}
    for line in (entry.dist.requires if entry.dist else None) or ():
        if match := _REQUIREMENT.match(line):
            name, extra = match.groups()
            if name not in OPTIONAL_LIBRARIES.get(entry.name, ()):
                found[extra].append(name)
    return found[_EACH], found[_ANY]


def modules_of(name: str) -> tuple[str, ...] | None:
    """Return the outermost packages and modules that a distribution installs; None if it is not installed."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return None
    record = installed.read_text("RECORD") or ""
    outermost: list[str] = []
    for path in sorted(set(_PACKAGE.findall(record))):
        if not outermost or not path.startswith(f"{outermost[-1]}/"):
            outermost.append(path)
    found = [path.replace("/", ".") for path in outermost] + _MODULE.findall(record)
    if not any(found):  # an editable installation
        found = (installed.read_text("top_level.txt") or name.replace("-", "_").lower()).split()
        found = [module for module in found if _is_there(module)]
    return tuple(module for module in found if module.partition(".")[0] not in _ASIDE)


def when_all_imported(groups: Iterable[tuple[str, ...]], then: Callable[[], None]) -> list[Callable[[], None]]:
    """Call ``then`` when a module of each group has been imported; returns what ends the waiting."""
    pending = {group for group in groups if not any(module in sys.modules for module in group)}

    def imported(group: tuple[str, ...], _module: object) -> None:
        if group in pending:
            pending.discard(group)
            if not pending:
                then()

    return [
        when_imported(module, partial(imported, group), doing="instrument a library")
        for group in pending.copy()
        for module in group
    ]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
