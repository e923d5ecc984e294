"""Versions of Python, Spanglass and OpenTelemetry, and whether those that pin one another agree."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from spanglass.cli.diagnosis.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

_AREA = "versions"
_OURS = ("opentelemetry-", "spanglass")


def versions() -> dict[str, str]:
    """Give the version of Python and of every distribution of Spanglass and OpenTelemetry, by name."""
    found = {each.name: each.version for each in distributions() if each.name and each.name.startswith(_OURS)}
    return {"python": platform.python_version()} | dict(sorted(found.items()))


def findings() -> Iterator[Finding]:
    """Check what these distributions require of others; pip refuses to install what contradicts, upgrades may break."""
    conflicts = list(_conflicts())
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
    seen = set()
    for each in distributions():
        if not each.name or not each.name.startswith(_OURS):
            continue
        for requirement in map(_parse, each.requires or ()):
            if requirement is None or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            said = _unmet(each.name, each.version, requirement)
            if said and said.text not in seen:
                seen.add(said.text)
                yield said


def _parse(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _unmet(name: str, own_version: str, requirement: Requirement) -> Finding | None:
    remedy = f"pip install --upgrade {name} '{requirement.name}{requirement.specifier}'"
    needs = f"{name} {own_version} needs {requirement.name}{requirement.specifier}"
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Finding(_AREA, Severity.PROBLEM, f"{needs}, which is not installed", remedy)
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return Finding(_AREA, Severity.PROBLEM, f"{needs}, and {found} is installed", remedy)
