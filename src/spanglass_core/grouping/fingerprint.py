"""The fingerprint of an exception: the key of its group, and the inputs from which the key is made.

Pure and versioned: a version, once released, never changes; ``CURRENT_VERSION`` is the one for what comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from spanglass_core.grouping import version_1
from spanglass_core.grouping.culprit import culprit
from spanglass_core.grouping.rules import NO_RULES, Rules
from spanglass_core.stacks.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass_core.grouping.exception import ExceptionReport
    from spanglass_core.stacks.model import Raised

    Version = Callable[[ExceptionReport, tuple[Raised, ...]], list[tuple[str, str]]]

CURRENT_VERSION = 1
_VERSIONS: dict[int, Version] = {1: version_1.inputs}

_MAX_TITLE = 200
_MAX_INPUT = 500
_MAX_INPUTS = 100


@dataclass(frozen=True, slots=True)
class Input:
    """One line of "why grouped": ``kind`` is ``custom``, ``rule``, ``service``, ``type``, ``frame`` or ``message``."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The group of an exception.

    ``key`` is a signed number of 64 bits. ``title`` is one line, ``type: message``; ``culprit`` the place in the
    application, ``module.function``, empty if no frame is known.
    """

    version: int
    key: int
    inputs: tuple[Input, ...]
    title: str
    culprit: str
    type: str
    message: str


def fingerprint(version: int, report: ExceptionReport, rules: Rules = NO_RULES) -> Fingerprint:
    """Return the fingerprint of an exception; never raises for a known version, whatever the report says."""
    return fingerprint_of(version, report, parse(report.stacktrace, report.type, report.message), rules)


def fingerprint_of(
    version: int, report: ExceptionReport, chain: tuple[Raised, ...], rules: Rules = NO_RULES
) -> Fingerprint:
    """Return the same for a report whose stack is read already: ``chain`` is what ``parse`` returns of it."""
    chain = rules.with_in_app(report, chain)
    inputs = tuple(Input(kind, value[:_MAX_INPUT]) for kind, value in _inputs(version, report, chain, rules))[
        :_MAX_INPUTS
    ]
    lead = chain[0]
    kind, message = lead.type or report.type, report.message or lead.message
    return Fingerprint(
        version=version,
        key=_key(version, inputs),
        inputs=inputs,
        title=title_of(kind, message),
        culprit=culprit(chain),
        type=kind,
        message=message,
    )


def _inputs(
    version: int, report: ExceptionReport, chain: tuple[Raised, ...], rules: Rules
) -> Iterable[tuple[str, str]]:
    yield "service", report.service
    join = rules.joined(report, chain)
    if join is not None:
        yield "rule", join.join
    elif report.fingerprint:
        for part in report.fingerprint:
            yield "custom", part
    else:
        yield from _VERSIONS[version](report, chain)
    for key, value in rules.splits(report, chain):
        yield "rule", f"{key} = {value}"


def _key(version: int, inputs: Iterable[Input]) -> int:
    """Return a number for the inputs; each is preceded by its length, so that no two lists are the same bytes."""
    digest = blake2b(b"%d" % version, digest_size=8)
    for one in inputs:
        value = one.value.encode("utf-8", "surrogatepass")
        digest.update(b"%s %d " % (one.kind.encode(), len(value)))
        digest.update(value)
    return int.from_bytes(digest.digest(), "big", signed=True)


def title_of(kind: str, message: str) -> str:
    """Return type and message of an exception as one line of at most 200 characters."""
    first = message.strip().split("\n", 1)[0].strip()
    if first == kind or first.startswith(kind + ": "):
        kind = ""
    title = ": ".join(part for part in (kind, first) if part) or "an exception without type and message"
    return title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1] + "…"
