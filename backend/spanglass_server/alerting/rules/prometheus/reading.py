"""From a rule file of Prometheus to its groups, with every problem at its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.prometheus.conversion import recordings_of, rules_of
from spanglass_server.alerting.rules.prometheus.spec import RULE_FILE
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.problems import Problem, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.rules.prometheus.model import Group, RecordingGroup, RuleFile
    from spanglass_server.forms.nodes import Node

_OWN_SERIES = re.compile(r"\bALERTS(_FOR_STATE)?\b")


@dataclass(frozen=True, slots=True)
class ReadGroups:
    """What stands in a file: alerts with group and line, recordings, what is wrong, and what is not kept as it is."""

    rules: tuple[tuple[Rule, str, int], ...] = ()
    recordings: tuple[RecordingGroup, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def is_prometheus(root: Node) -> bool:
    """Whether a file is one of Prometheus'."""
    return root.named("groups") is not None


def read_groups(root: Node, report: Report) -> ReadGroups:
    """Read a file's tree. A file in which anything is wrong has no rules, as in Prometheus."""
    file: RuleFile = RULE_FILE.read(root, report)
    if file is FAILED:
        return ReadGroups(problems=tuple(report.problems))
    rules: list[tuple[Rule, str, int]] = []
    recordings: list[RecordingGroup] = []
    notes = Report(report.file)
    listed = root.named("groups")
    for group, node in zip(file.groups, listed.items if listed is not None else (), strict=True):
        lines = _lines(node)
        of_alerts = [line for line, rule in zip(lines, group.rules, strict=True) if rule.alert]
        own = rules_of(group, Path(report.file).name)
        rules.extend((rule, group.name, line) for rule, line in zip(own, of_alerts, strict=True))
        recorded = recordings_of(group, report.file, node.line, lines)
        recordings.extend((recorded,) if recorded is not None else ())
        _note(group, node, notes)
    return ReadGroups(tuple(rules), tuple(recordings), tuple(report.problems), tuple(notes.problems))


def _lines(group: Node) -> list[int]:
    return [node.line for node in _rule_nodes(group)]


def _rule_nodes(group: Node) -> Iterator[Node]:
    rules = group.named("rules")
    yield from rules.items if rules is not None else ()


def _note(group: Group, node: Node, notes: Report) -> None:
    """What of a group is not as in Prometheus; docs/rule-files.md lists the same."""
    if group.limit and any(rule.alert for rule in group.rules):
        limit = node.named("limit") or node
        notes.add(limit, "limit counts for recording rules only", "alerting.max_keys bounds the alerts of a rule")
    for rule, place in zip(group.rules, _rule_nodes(node), strict=True):
        if _OWN_SERIES.search(rule.expr):
            at = place.named("expr") or place
            notes.add(at, "there are no series ALERTS and ALERTS_FOR_STATE", "ask GET /api/monitoring/alerts/")
