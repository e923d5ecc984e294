"""Which instrumentations are installed, and whether each can instrument the library that is there.

An instrumentation is an entry point of the group ``opentelemetry_instrumentor``; the libraries that it takes are in its
distribution's extras ``instruments`` (all of them) and ``instruments-any`` (one of them).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from spanglass.instrumentors.status import InstrumentationStatus, State
from spanglass.instrumentors.table import OPTIONAL_LIBRARIES, REPLACED, TRIGGERS
from spanglass.instrumentors.web import OWN
from spanglass.sdk.private.published import entry_points

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from spanglass.settings.table import Settings

#: Where frameworks are instrumented for which there is no entry point.
_OTHERS = "spanglass.instrumentors.web.others"
GROUP = "opentelemetry_instrumentor"
#: Of several that share a name: OpenTelemetry's own of today, where predecessors and other vendors' are beside it.
_PREFERRED = "opentelemetry.instrumentation.genai."
_ALL = "*"  # as in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS


class Library(NamedTuple):
    """What one requirement of an instrumentation finds: ``version`` is empty when nothing is installed."""

    name: str
    version: str
    wanted: str
    fits: bool


def installed() -> list[EntryPoint]:
    """Return each instrumentation's entry point, one of each name, by name."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: not each.module.startswith(_PREFERRED)):
        found.setdefault(entry.name, entry)
    for name, library in OWN.items():
        if _version(library):
            found.setdefault(name, EntryPoint(name, f"{_OTHERS}:{name}", GROUP))
    return [found[name] for name in sorted(found)]


def library_missing(name: str, absent: str, **about: str) -> InstrumentationStatus:
    """Return the status of an instrumentation whose library is not there."""
    reason = f"{absent} is not installed"
    return InstrumentationStatus(name=name, state=State.LIBRARY_MISSING, reason=reason, **about)


def set_aside(name: str, settings: Settings) -> InstrumentationStatus | None:
    """Return the status of an instrumentation that is not to be turned on, whatever is installed; else None."""
    if not settings.instrument:
        return InstrumentationStatus(
            name=name,
            state=State.DISABLED,
            reason="the setting instrument is false",
            remedy="unset SPANGLASS_INSTRUMENT",
        )
    if _ALL in settings.disabled_instrumentations or name in settings.disabled_instrumentations:
        return InstrumentationStatus(
            name=name,
            state=State.DISABLED,
            reason="the setting disabled_instrumentations names it",
            remedy=f"take {name} out of SPANGLASS_DISABLED_INSTRUMENTATIONS",
        )
    if name in REPLACED:
        return InstrumentationStatus(name=name, state=State.REPLACED, reason=REPLACED[name])
    return None


def examine(entry: EntryPoint) -> InstrumentationStatus:
    """Look at the library of an instrumentation without importing either: ready, version conflict or missing."""
    if entry.module == _OTHERS:
        library = OWN[entry.name]
        return InstrumentationStatus(
            name=entry.name, state=State.READY, library=library, library_version=_version(library),
            package="spanglass", package_version=_version("spanglass"),
        )  # fmt: skip
    metadata = entry.dist.metadata if entry.dist else None  # each look at it reads the file anew, 0.5 ms
    required, any_of = _libraries(metadata.get_all("Requires-Dist") if metadata else None)
    required = [each for each in required if each.name not in OPTIONAL_LIBRARIES.get(entry.name, ())]
    any_of = _own(entry.name, any_of)
    package = {
        "package": metadata["Name"] if metadata else "",
        "package_version": metadata["Version"] if metadata else "",
    }
    unfit = [each for each in required if not each.fits]
    if any_of and not any(each.fits for each in any_of):
        unfit += [each for each in any_of if each.version] or any_of
    shown = next(iter(unfit or [each for each in (*required, *any_of) if each.version]), Library("", "", "", fits=True))
    about = {**package, "library": shown.name, "library_version": shown.version, "wanted": shown.wanted}
    if any(each.version for each in unfit):
        shown = next(each for each in unfit if each.version)
        return InstrumentationStatus(
            name=entry.name,
            state=State.VERSION_CONFLICT,
            reason=f"{shown.name} {shown.version} is installed, and it takes {shown.wanted}",
            remedy=f"pip install '{shown.name}{shown.wanted}'",
            **{**about, "library": shown.name, "library_version": shown.version, "wanted": shown.wanted},
        )
    if unfit or not _importable(entry.name):
        return library_missing(entry.name, shown.name or TRIGGERS[entry.name], **about)
    return InstrumentationStatus(name=entry.name, state=State.READY, **about)


def inspect(settings: Settings) -> list[InstrumentationStatus]:
    """Return the status of every instrumentation in this environment, by name, without importing any."""
    return [set_aside(entry.name, settings) or examine(entry) for entry in installed()]


def _libraries(requires: list[str] | None) -> tuple[list[Library], list[Library]]:
    """Return what a distribution requires of libraries: all of the first, and one of the second if there are any."""
    all_of, any_of = [], []
    for line in requires or ():
        if "instruments" not in line:  # most lines: parsing one takes 50 µs
            continue
        from packaging.requirements import Requirement  # noqa: PLC0415 - 20 ms, and OpenTelemetry itself imports it late

        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.marker.evaluate({"extra": "instruments"}):
            all_of.append(_look_up(requirement))
        elif requirement.marker.evaluate({"extra": "instruments-any"}):
            any_of.append(_look_up(requirement))
    return all_of, any_of


def _own(name: str, any_of: list[Library]) -> list[Library]:
    """Leave out alternatives that have an entry point of their own: httpx2 for httpx, but not psycopg2-binary."""
    others = {trigger.partition(".")[0] for other, trigger in TRIGGERS.items() if other != name}
    return [each for each in any_of if each.name not in others] or any_of


def _look_up(requirement: Requirement) -> Library:
    wanted = str(requirement.specifier)
    found = _version(requirement.name)
    if not found:
        return Library(requirement.name, "", wanted, fits=False)
    # an application that runs a pre-release of a library in the range wants it instrumented
    return Library(requirement.name, found, wanted, fits=requirement.specifier.contains(found, prereleases=True))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _importable(name: str) -> bool:
    """Whether the library of one of the instrumentations that share a distribution is there, such as httpx2."""
    if name not in TRIGGERS:
        return True
    try:
        return find_spec(TRIGGERS[name].partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
