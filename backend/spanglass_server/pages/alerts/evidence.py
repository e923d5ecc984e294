"""What is known about why an alert fired, in the parts that its page shows; one that is missing says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

Part = dict[str, Any]
PARTS = ("course", "traces", "errors", "changes", "similar", "apart")


def read(alert: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Return the parts by name, each with ``rows`` or ``drawing``, and ``problem`` where it is missing."""
    del visit
    problem = "" if alert["rule"] else "Evidence is collected for alerts that a rule raised."
    return {"cause": None} | {name: _nothing(problem) for name in PARTS}


def _nothing(problem: str) -> Part:
    return {"rows": [], "drawing": None, "says": "", "href": None, "problem": problem}
