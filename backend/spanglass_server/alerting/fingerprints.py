"""What tells alerts apart: fingerprints of what they are about, and ids that follow from when they began."""

from __future__ import annotations

import uuid

from spanglass_core.alerting.fingerprints import digest_of, fingerprint_of_labels
from spanglass_core.alerting.fingerprints import fingerprint as fingerprint_of_key

__all__ = ["alert_id", "digest_of", "fingerprint_of_key", "fingerprint_of_labels"]

_ALERTS = uuid.UUID("6d0f34a5-8a1c-4f0e-9a6d-6d5f6f3f0c55")


def alert_id(fingerprint: str, fired_ns: int) -> str:
    """The id of the alert that began then: a tick that is evaluated again after a crash makes the same one."""
    return str(uuid.uuid5(_ALERTS, f"{fingerprint}/{fired_ns}"))
