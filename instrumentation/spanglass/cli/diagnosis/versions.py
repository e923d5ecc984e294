"""Versions of Python, Spanglass and OpenTelemetry, and whether those that pin one another agree."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.cli.diagnosis.missing import FOUNDATION
from spanglass.sdk.private.features import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AREA = "versions"
_OURS = ("opentelemetry-", "spanglass")


def versions() -> dict[str, str]:
    """Return the version of Python and of every distribution of Spanglass and OpenTelemetry, by name."""
    found = {each.name: each.version for each in distributions() if each.name and each.name.startswith(_OURS)}
    return {"python": platform.python_version()} | dict(sorted(found.items()))


def findings() -> Iterator[Finding]:
    """Check what these distributions require of others; pip refuses to install what contradicts, upgrades may break."""
    conflicts = [*_conflicts(), *_renamed()]
    yield from conflicts
    if not conflicts:
        yield Finding(
            _AREA,
            Severity.OK,
            f"Python {platform.python_version()}, spanglass {version('spanglass')}, "
            f"OpenTelemetry {version('opentelemetry-sdk')}, "
            f"instrumentations {version('opentelemetry-instrumentation')} ({sys.prefix})",
        )


def _conflicts() -> Iterator[Finding]:
    """Say each once: an upgrade of one package is a conflict of all the instrumentations that pin it."""
    pinned: dict[tuple[str, str], dict[str, str]] = {}  # who requires it, with the own version
    for each in distributions():
        if not each.name or not each.name.startswith(_OURS):
            continue
        for requirement in map(_parse, each.requires or ()):
            if requirement is None or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            if not requirement.specifier.contains(_installed(requirement.name) or "", prereleases=True):
                of_this = pinned.setdefault((requirement.name, str(requirement.specifier)), {})
                of_this.setdefault(each.name, each.version)
    for (name, specifier), users in pinned.items():
        yield _unmet(name, specifier, users)


def _renamed() -> Iterator[Finding]:
    """Say what is lost because this SDK has renamed something that has no public name."""
    lost: dict[str, list[str]] = {}
    for name, feature in missing():
        lost.setdefault(feature.lost, []).append(name.partition(":")[2])
    for consequence, names in lost.items():
        text = f"opentelemetry-sdk {version('opentelemetry-sdk')} has no {', '.join(names)}: {consequence}"
        yield Finding(_AREA, Severity.WARNING, text, "pip install --upgrade spanglass, or an older opentelemetry-sdk")


def _parse(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _unmet(name: str, specifier: str, users: Mapping[str, str]) -> Finding:
    found = _installed(name)
    have = f"and {found} is installed" if found else "which is not installed"
    if len(users) == 1:
        ((user, own_version),) = users.items()
        text = f"{user} {own_version} needs {name}{specifier}, {have}"
        return Finding(_AREA, Severity.PROBLEM, text, f"pip install --upgrade {user} '{name}{specifier}'")
    text = f"{len(users)} packages need {name}{specifier}, {have}: {', '.join(sorted(users))}"
    # with what else pins it, so that the installer changes all that has to change
    others = [each for each in FOUNDATION if _installed(each) and each != name]
    return Finding(_AREA, Severity.PROBLEM, text, f"pip install {' '.join(others)} '{name}{specifier}'")
