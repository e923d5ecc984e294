"""From dashboards to YAML and JSON: what has its default is left out of YAML, and keys keep one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.form.spec import DASHBOARD
from spanglass_server.forms.dumping import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.dashboards.model import Dashboard


def to_yaml(dashboards: Sequence[Dashboard]) -> str:
    """Write dashboards as requirement C5's form: ``monitoring: dashboards:``."""
    return dump({"monitoring": {"dashboards": [to_json(dashboard, full=False) for dashboard in dashboards]}})


def to_json(dashboard: Dashboard, *, full: bool = True) -> dict[str, Any]:
    """Write a dashboard as JSON; ``full`` with all defaults, ids and the list of queries."""
    written: dict[str, Any] = DASHBOARD.write(dashboard, full=full)
    return written
