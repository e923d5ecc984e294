"""One exception as it was reported, by a span event or a log record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ExceptionReport:
    """What was sent of an exception; texts are empty where nothing was.

    ``fingerprint`` is the group that the application wants it in. ``attributes`` are those that rules may look at, by
    their keys; values as text.
    """

    service: str
    type: str
    message: str
    stacktrace: str
    fingerprint: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
