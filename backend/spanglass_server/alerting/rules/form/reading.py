"""From YAML text or JSON to rules, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.form.spec import RULE
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report, meant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.forms.nodes import Node

_KEYS = ("alert_rules", "monitoring")


@dataclass(frozen=True, slots=True)
class Read:
    """The rules of a text that are right, each with its line, and what is wrong with the others."""

    rules: tuple[tuple[Rule, int], ...] = ()
    problems: tuple[Problem, ...] = ()


def read_yaml(text: str, file: str = "") -> Read:
    """Read the rules of a text: ``monitoring: alert_rules:``, ``alert_rules:``, or one rule by itself."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return unreadable(error, file)
    return Read() if root is None else read_tree(root, Report(file))


def read_settings_yaml(text: str, file: str) -> Read:
    """Read ``monitoring: alert_rules:`` of a settings file, whatever else it holds."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return unreadable(error, file)
    monitoring = root.named("monitoring") if root is not None else None
    listed = monitoring.named("alert_rules") if monitoring is not None else None
    report = Report(file)
    return Read() if listed is None else read_rules(_items(listed, report), report)


def read_json(value: Any) -> Read:
    """Read one rule from JSON; thresholds without a unit are in base units: seconds, bytes, shares of 1."""
    report = Report()
    try:
        return read_rules((json_tree(value),), report)
    except TreeError as error:
        return unreadable(error, "")


def read_tree(root: Node, report: Report) -> Read:
    """Read the rules of a file's tree."""
    if root.sort != "mapping":
        report.add(root, "expected alert rules", "begin the file with `alert_rules:`, or with the keys of one rule")
        return Read((), tuple(report.problems))
    if not any(root.named(key) for key in _KEYS):
        return read_rules((root,), report)
    nodes: list[Node] = []
    for entry in root.entries:
        if entry.key not in _KEYS:
            place = (entry.line, entry.column)
            report.add_at(entry.key, place, f"unknown key {entry.key!r}", meant(entry.key, _KEYS))
            continue
        listed = entry.value.named("alert_rules") if entry.key == "monitoring" else entry.value
        nodes.extend(_items(listed, report) if listed is not None else ())
    return read_rules(nodes, report)


def read_rules(nodes: Iterable[Node], report: Report) -> Read:
    """Read rules, each by itself: what is wrong with one leaves the others."""
    found: dict[str, tuple[Rule, int]] = {}
    for node in nodes:
        rule = RULE.read(node, report)
        if rule is FAILED:
            continue
        if rule.uid in found:
            line = found[rule.uid][1]
            where = f", the first in line {line}" if line else ""
            hint = "give one of them another name, or a uid"
            report.add(node, f"two rules have the uid {rule.uid!r}{where}", hint)
            continue
        found[rule.uid] = (rule, node.line)
    return Read(tuple(found.values()), tuple(report.problems))


def unreadable(error: TreeError, file: str) -> Read:
    """What a text that is no YAML says."""
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))


def _items(node: Node, report: Report) -> tuple[Node, ...]:
    if node.sort not in {"list", "null"}:
        report.add(node, "expected a list of alert rules", "begin each with a dash")
    return node.items
