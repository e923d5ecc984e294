"""From objectives to YAML and JSON: what has its default is left out of YAML, and keys keep one order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.dumping import dump
from spanglass_server.slo.form.spec import OBJECTIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.slo.model import Objective


def to_yaml(objectives: Sequence[Objective]) -> str:
    """Write objectives as files have them."""
    return dump({"slos": [to_json(objective, full=False) for objective in objectives]})


def to_json(objective: Objective, *, full: bool = True) -> dict[str, Any]:
    """Write an objective as JSON; ``full`` with all defaults."""
    written: dict[str, Any] = OBJECTIVE.write(objective, full=full)
    return written


def version_of(objective: Objective) -> str:
    """The version of an objective: a digest of its written form."""
    return hashlib.blake2b(to_yaml([objective]).encode(), digest_size=8).hexdigest()
