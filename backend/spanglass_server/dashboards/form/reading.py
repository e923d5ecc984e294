"""From YAML text or JSON to dashboards, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.form.spec import DASHBOARD
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report, meant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.forms.nodes import Node


@dataclass(frozen=True, slots=True)
class Read:
    """The dashboards of a text that are right, and what is wrong with the others."""

    dashboards: tuple[Dashboard, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_yaml(text: str, file: str = "") -> Read:
    """Read the dashboards of a file: ``monitoring: dashboards:``, ``dashboards:``, or one dashboard by itself."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    if root is None:
        return Read()
    report = Report(file)
    nodes = tuple(_dashboards_of(root, report))
    return _read(nodes, report)


def read_settings_yaml(text: str, file: str) -> Read:
    """Read ``monitoring: dashboards:`` of a settings file, whatever else it holds."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    monitoring = root.named("monitoring") if root is not None else None
    listed = monitoring.named("dashboards") if monitoring is not None else None
    if listed is None:
        return Read()
    report = Report(file)
    return _read(tuple(_items(listed, report)), report)


def read_json(value: Any) -> Read:
    """Read one dashboard from JSON."""
    report = Report()
    try:
        return _read((json_tree(value),), report)
    except TreeError as error:
        return _unreadable(error, "")


def _unreadable(error: TreeError, file: str) -> Read:
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))


def _read(nodes: Iterable[Node], report: Report) -> Read:
    found: list[Dashboard] = []
    for node in nodes:
        dashboard = DASHBOARD.read(node, report)
        if dashboard is FAILED:
            continue
        if any(dashboard.uid == other.uid for other in found):
            report.add(
                node, f"two dashboards have the uid {dashboard.uid!r}", "give one of them another name, or a uid"
            )
            continue
        found.append(dashboard)
    return Read(tuple(found), tuple(report.problems))


def _dashboards_of(root: Node, report: Report) -> Iterable[Node]:
    if root.sort != "mapping":
        report.add(root, "expected dashboards", "begin the file with `dashboards:`, or with the keys of one dashboard")
        return ()
    keys = [entry.key for entry in root.entries]
    if not {"monitoring", "dashboards"} & set(keys):
        return (root,)
    found: list[Node] = []
    for entry in root.entries:
        if entry.key == "dashboards":
            found.extend(_items(entry.value, report))
        elif entry.key == "monitoring":
            listed = entry.value.named("dashboards")
            found.extend(_items(listed, report) if listed is not None else ())
        else:
            hint = meant(entry.key, ("dashboards", "monitoring"))
            report.add_at(entry.key, (entry.line, entry.column), f"unknown key {entry.key!r}", hint)
    return found


def _items(node: Node, report: Report) -> tuple[Node, ...]:
    if node.sort not in {"list", "null"}:
        report.add(node, "expected a list of dashboards", "begin each with a dash")
    return node.items
