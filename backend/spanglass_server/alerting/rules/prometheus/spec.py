"""The keys of a rule file of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.form.kinds import Template
from spanglass_server.alerting.rules.prometheus.kinds import Expression, PrometheusDuration
from spanglass_server.alerting.rules.prometheus.model import Group, GroupRule, RuleFile
from spanglass_server.forms.kinds import Many, Number, Text, Texts
from spanglass_server.forms.shapes import Shape

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_NAMED = Text(may_be_empty=False)
_LABEL = r"[A-Za-z_][A-Za-z0-9_]{0,199}"
_LABELS = Texts(Template(), _LABEL, "use letters, digits and _, such as team")
_DURATION = PrometheusDuration()
_MOST = 10_000

#: What only alerts have.
_OF_ALERTS = ("for", "keep_firing_for", "annotations")


def _check_rule(rule: GroupRule, node: Node, report: Report) -> None:
    """Either kind, with what goes with it."""
    if bool(rule.record) == bool(rule.alert):
        report.add(node, "a rule has alert or record", "give one of the two")
    for key in _OF_ALERTS if rule.record else ():
        if (given := node.named(key)) is not None:
            report.add(given, f"{key} goes with alert only", "take it out")


def _check_file(file: RuleFile, node: Node, report: Report) -> None:
    names = [group.name for group in file.groups]
    for name in sorted({name for name in names if names.count(name) > 1}):
        report.add(node, f"two groups have the name {name!r}", "give one of them another")


GROUP_RULE = Shape(
    GroupRule,
    {
        "record": Text(r"[A-Za-z_:][A-Za-z0-9_:]*", "use letters, digits, _ and :, such as job:requests:rate5m"),
        "alert": _NAMED,
        "expr": Expression(),
        "for": _DURATION,
        "keep_firing_for": _DURATION,
        "labels": _LABELS,
        "annotations": _LABELS,
    },
    check=_check_rule,
)
GROUP = Shape(
    Group,
    {
        "name": _NAMED,
        "interval": _DURATION,
        "limit": Number(0, whole=True),
        "query_offset": _DURATION,
        "labels": _LABELS,
        "rules": Many(GROUP_RULE, most=_MOST),
    },
)
RULE_FILE = Shape(RuleFile, {"groups": Many(GROUP, most=_MOST)}, check=_check_file)
