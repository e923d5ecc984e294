"""The order of a service's releases: semantic versions by version, all others by when they were seen first."""

from __future__ import annotations

import re
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ``1.4``, ``v1.4.0-rc.1+build``, ``shop@1.4.0``, ``1.4.0rc1``, ``1.4.0.dev2``. A number alone may be a hash.
_VERSION = re.compile(
    r"(?:[^\s@]+@)?v?(\d{1,18}(?:\.\d{1,18}){1,3})"
    r"(?:-([0-9a-z.-]{1,100})|\.?(a|b|rc|dev)(\d{1,9}))?(?:\+[0-9a-z.-]+)?",
    re.ASCII | re.IGNORECASE,
)
_PARTS = 4

_Identifier: TypeAlias = tuple[int, int, str]  # numbers come before words
_Version: TypeAlias = tuple[tuple[int, ...], bool, tuple[_Identifier, ...]]


def semantic_version(release: str) -> _Version | None:
    """Return what orders a semantic version, or None if the release is none; two to four numbers are taken."""
    match = _VERSION.fullmatch(release)
    if match is None:
        return None
    numbers, suffix, letters, count = match.groups()
    core = tuple(int(number) for number in numbers.split("."))
    core += (0,) * (_PARTS - len(core))
    if letters:
        suffix = count if letters.lower() == "dev" else f"{letters}.{count}"
    identifiers = tuple(_identifier(part) for part in suffix.lower().split(".")) if suffix else ()
    return core, not identifiers, identifiers  # a pre-release comes before its release


def _identifier(part: str) -> _Identifier:
    is_number = part.isdigit() and len(part) <= 18  # noqa: PLR2004 - as in the pattern: longer ones are words
    return (0, int(part), "") if is_number else (1, 0, part)


class Releases:
    """Releases of one service, in one order for all of them.

    Two semantic versions are ordered by version. Others stand where they were seen first; to make that one order
    without cycles, a version counts as seen no later than a higher version: a 1.4.1 that is shipped after 2.0 is older
    than 2.0, and so than all that came after 2.0. A release that was never seen is to come: newer than others.
    """

    def __init__(self, first_seen_ns: Mapping[str, float]) -> None:
        self._first_seen_ns = first_seen_ns

    @cached_property
    def oldest_first(self) -> list[str]:
        """All releases in order."""
        versions = {release: semantic_version(release) for release in self._first_seen_ns}
        seen_ns = dict(self._first_seen_ns)
        numbered = [(version, seen_ns[release], release) for release, version in versions.items() if version]
        earliest = inf
        for _, first_ns, release in sorted(numbered, reverse=True):
            earliest = min(earliest, first_ns)
            seen_ns[release] = earliest

        def place(release: str) -> tuple[object, ...]:
            version = versions[release]
            known = (False,) if version is None else (True, version)
            return seen_ns[release], *known, self._first_seen_ns[release], release

        return sorted(seen_ns, key=place)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {release: rank for rank, release in enumerate(self.oldest_first)}

    @property
    def newest(self) -> str:
        """The newest release, "" if there is none."""
        return self.oldest_first[-1] if self._first_seen_ns else ""

    def is_older(self, release: str, other: str) -> bool:
        """Whether the first is older than the second."""
        unseen = {name: inf for name in (release, other) if name not in self._first_seen_ns}
        if unseen:
            return Releases({**self._first_seen_ns, **unseen}).is_older(release, other)
        return self._ranks[release] < self._ranks[other]
