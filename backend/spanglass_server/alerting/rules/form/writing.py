"""From rules to YAML and JSON: what has its default is left out of YAML, and keys keep one order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.form.spec import RULE
from spanglass_server.forms.dumping import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_core.alerting.rule import Rule


def to_yaml(rules: Sequence[Rule]) -> str:
    """Write rules as requirement C3's form: ``monitoring: alert_rules:``."""
    return dump({"monitoring": {"alert_rules": [to_json(rule, full=False) for rule in rules]}})


def to_json(rule: Rule, *, full: bool = True) -> dict[str, Any]:
    """Write a rule as JSON; ``full`` with all defaults, and thresholds as numbers in base units."""
    written: dict[str, Any] = RULE.write(rule, full=full)
    return written


def version_of(rule: Rule) -> str:
    """The version of a rule: a digest of its written form."""
    return hashlib.blake2b(to_yaml([rule]).encode(), digest_size=8).hexdigest()
