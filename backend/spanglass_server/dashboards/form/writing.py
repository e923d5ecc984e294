"""From dashboards to YAML and JSON: what has its default is left out of YAML, and keys keep one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from spanglass_server.dashboards.form.spec import DASHBOARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.dashboards.model import Dashboard

_WIDTH = 1000  # queries stay on one line


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        """See ``yaml.emitter.Emitter``."""
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(dashboards: Sequence[Dashboard]) -> str:
    """Write dashboards as requirement C5's form: ``monitoring: dashboards:``."""
    return _dump({"monitoring": {"dashboards": [to_json(dashboard, full=False) for dashboard in dashboards]}})


def to_json(dashboard: Dashboard, *, full: bool = True) -> dict[str, Any]:
    """Write a dashboard as JSON; ``full`` with all defaults, ids and the list of queries."""
    written: dict[str, Any] = DASHBOARD.write(dashboard, full=full)
    return written


def _dump(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
