"""What tells alerts apart: fingerprints of what they are about, and ids that follow from when they began."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.model import Key

_ALERTS = uuid.UUID("6d0f34a5-8a1c-4f0e-9a6d-6d5f6f3f0c55")
_DIGITS = 32


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def fingerprint_of_key(rule_uid: str, key: Key) -> str:
    """The fingerprint of all alerts of one key of a rule."""
    return _digest("rule", rule_uid, key)


def fingerprint_of_labels(source: str, title: str, labels: Mapping[str, str]) -> str:
    """The fingerprint of alerts that no rule makes."""
    return _digest(source, title, sorted(labels.items()))


def alert_id(fingerprint: str, fired_ns: int) -> str:
    """The id of the alert that began then: a tick that is evaluated again after a crash makes the same one."""
    return str(uuid.uuid5(_ALERTS, f"{fingerprint}/{fired_ns}"))


def digest_of(*parts: Any) -> str:
    """A digest of values that JSON can tell, for finding out whether they changed."""
    return _digest(*parts)
