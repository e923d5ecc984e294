"""From YAML text or JSON to objectives, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.listed import Listed
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.slo.form.spec import OBJECTIVE

if TYPE_CHECKING:
    from spanglass_server.slo.model import Objective

_LISTED = Listed(OBJECTIVE, "slos", "objective", "objectives")


@dataclass(frozen=True, slots=True)
class Read:
    """The objectives of a text that are right, each with its line, and what is wrong with the others."""

    objectives: tuple[tuple[Objective, int], ...] = ()
    problems: tuple[Problem, ...] = ()


def read_yaml(text: str, file: str = "") -> Read:
    """Read the objectives of a text: ``monitoring: slos:``, ``slos:``, or one objective by itself."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    if root is None:
        return Read()
    report = Report(file)
    return Read(_LISTED.of_file(root, report), tuple(report.problems))


def read_settings_yaml(text: str, file: str) -> Read:
    """Read ``monitoring: slos:`` of a settings file, whatever else it holds."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    report = Report(file)
    return Read(_LISTED.of_settings(root, report), tuple(report.problems))


def read_json(value: Any) -> Read:
    """Read one objective from JSON."""
    report = Report()
    try:
        return Read(_LISTED.read((json_tree(value),), report), tuple(report.problems))
    except TreeError as error:
        return _unreadable(error, "")


def _unreadable(error: TreeError, file: str) -> Read:
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))
