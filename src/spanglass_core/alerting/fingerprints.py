"""What tells alerts apart: at most one alert of a fingerprint is open at a time; ids follow from when they began."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIGITS = 32
_ALERTS = uuid.UUID("6d0f34a5-8a1c-4f0e-9a6d-6d5f6f3f0c55")


def digest_of(*parts: Any) -> str:
    """A digest of values that JSON can tell, in 32 hexadecimal digits."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def fingerprint(rule_uid: str, key: Sequence[tuple[str, str]]) -> str:
    """The fingerprint of all alerts of one key of a rule; ``key`` is its labels, sorted by name."""
    return digest_of("rule", rule_uid, key)


def fingerprint_of_labels(source: str, title: str, labels: Mapping[str, str]) -> str:
    """The fingerprint of alerts that no rule makes."""
    return digest_of(source, title, sorted(labels.items()))


def alert_id(fingerprint: str, fired_ns: int) -> str:
    """The id of the alert that began then: a tick that is evaluated again after a crash makes the same one."""
    return str(uuid.uuid5(_ALERTS, f"{fingerprint}/{fired_ns}"))
