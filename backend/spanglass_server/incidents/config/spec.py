"""The keys of ``monitoring.incidents``: the one place that says how each is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.alerting.severity import Severity
from spanglass_server.forms.kinds import FAILED, Choice, Duration, Flag, Many, Number, Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.incidents.config.model import IncidentSettings, OpeningRule
from spanglass_server.notifications.config.routes import MATCHERS
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_MOST_ALERTS = 100
_TEXT = Text()
_NAMED = Text(may_be_empty=False)
_NAMES = Many(_NAMED, most=50, alone=True)


class Directory:
    """The path of a directory that is there."""

    schema: Final = {"type": "string"}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = _NAMED.read(node, report)
        if text is FAILED:
            return FAILED
        path = Path(text).expanduser()
        if not path.is_absolute() and report.file:
            path = Path(report.file).parent / path
        if not path.is_dir():
            report.add(node, f"there is no directory {path}", "make it, or leave runbooks out")
            return FAILED
        return path

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return None if value is None else str(value)


RULE = Shape(
    OpeningRule,
    {
        "name": _NAMED,
        "match": MATCHERS,
        "alerts": Number(1, _MOST_ALERTS, whole=True),
        "after": Duration(may_be_off=True),
        "title": _TEXT,
        "severity": Choice(*Severity, may_be_empty=True),
        "lead": _TEXT,
        "responders": _NAMES,
        "runbook": _TEXT,
        "steps": Many(_NAMED, most=100, alone=True),
        "channels": _NAMES,
    },
)


def _check(settings: IncidentSettings, node: Node, report: Report) -> None:
    names = [rule.name for rule in settings.rules]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        report.add(node, f"two rules are named {name!r}", "give each rule a name of its own")


SETTINGS = Shape(
    IncidentSettings,
    {
        "enabled": Flag(),
        "rules": Many(RULE, most=100),
        "within": Duration(NS_PER_SECOND),
        "resolve_after": Duration(may_be_off=True),
        "resolve_within": Duration(may_be_off=True),
        "channels": _NAMES,
        "escalate": _NAMES,
        "runbooks": Directory(),
        "keep": Duration(may_be_off=True),
    },
    check=_check,
)
