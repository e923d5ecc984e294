"""From YAML text or JSON to rules, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.form.spec import RULE
from spanglass_server.forms.listed import Listed
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.forms.nodes import Node

_LISTED = Listed(RULE, "alert_rules", "rule", "alert rules")


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
    report = Report(file)
    return Read(_LISTED.of_settings(root, report), tuple(report.problems))


def read_json(value: Any) -> Read:
    """Read one rule from JSON; thresholds without a unit are in base units: seconds, bytes, shares of 1."""
    report = Report()
    try:
        return Read(_LISTED.read((json_tree(value),), report), tuple(report.problems))
    except TreeError as error:
        return unreadable(error, "")


def read_tree(root: Node, report: Report) -> Read:
    """Read the rules of a file's tree."""
    return Read(_LISTED.of_file(root, report), tuple(report.problems))


def unreadable(error: TreeError, file: str) -> Read:
    """What a text that is no YAML says."""
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))
