"""From checks to YAML and JSON: what has its default is left out of YAML, and keys keep one order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.dumping import dump
from spanglass_server.health.form.spec import CHECK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.health.check import Check


def to_yaml(checks: Sequence[Check]) -> str:
    """Write checks as the settings file has them; secrets that are texts are hidden."""
    return dump({"monitoring": {"checks": [to_json(check, full=False) for check in checks]}})


def to_json(check: Check, *, full: bool = True) -> dict[str, Any]:
    """Write a check as JSON; ``full`` with all defaults."""
    written: dict[str, Any] = CHECK.write(check, full=full)
    return written


def version_of(check: Check) -> str:
    """The version of a check: a digest of its written form."""
    return hashlib.blake2b(to_yaml([check]).encode(), digest_size=8).hexdigest()
