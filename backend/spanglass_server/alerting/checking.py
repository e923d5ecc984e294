"""All that is wrong with a file of rules: how it is written, and what nothing can be asked about, each at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import Found
from spanglass_server.alerting.rules.form.kinds import report_within
from spanglass_server.alerting.rules.sources.files import read_file
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Failure
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.alerting.rules.prometheus.model import RecordingGroup
    from spanglass_server.forms.names import Stands
    from spanglass_server.forms.nodes import Node


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The rules of a file that are right, groups of recording rules, and what is wrong with the others.

    ``notes`` say what of a rule file of Prometheus is not as it is there.
    """

    rules: tuple[Rule, ...]
    recordings: tuple[RecordingGroup, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def check_file(text: str, file: str, evaluator: Evaluator, *, stands: Stands = False) -> CheckedFile:
    """Check a file of either kind by its text; never raises for what it holds. See ``Report`` for what stands."""
    read = read_file(text, file, stands=stands)
    found = [each for each in read.standing if isinstance(each, Found)]
    recordings = tuple(each for each in read.standing if not isinstance(each, Found))
    failures = {each.uid: failure for each in found if (failure := evaluator.check(each.rule)) is not None}
    report = Report(file)
    conditions = _conditions(text) if failures else {}
    for each in found:
        if each.uid in failures:
            _add(report, conditions.get(each.line), each, failures[each.uid])
    problems = sorted([*read.problems, *report.problems], key=lambda problem: (problem.line, problem.column))
    rules = tuple(each.rule for each in found if each.uid not in failures)
    return CheckedFile(rules, recordings, tuple(problems), read.notes)


def _add(report: Report, condition: Node | None, found: Found, failure: Failure) -> None:
    if condition is None:  # of a rule of Prometheus', whose condition is made of its expression
        report.add_at(found.rule.name, (found.line, 0), failure.message)
    else:
        report_within(condition, report, max(failure.column, 1), failure.message, "")


def _conditions(text: str) -> dict[int, Node]:
    """The conditions in a file of ours, by the line that their rule begins in."""
    try:
        root = yaml_tree(text)
    except TreeError:
        return {}
    return dict(_within(root)) if root is not None else {}


def _within(node: Node) -> Iterator[tuple[int, Node]]:
    condition = node.named("condition")
    if condition is not None:
        yield node.line, condition
        return
    for each in (*node.items, *(entry.value for entry in node.entries)):
        yield from _within(each)
