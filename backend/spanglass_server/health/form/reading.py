"""From YAML text or JSON to checks, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report, meant
from spanglass_server.forms.secrets import SecretSource
from spanglass_server.health.check import Http
from spanglass_server.health.form.spec import CHECK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.forms.nodes import Node
    from spanglass_server.health.check import Check

_KEYS: Final = ("checks", "monitoring")
#: Kinds that only the settings file may hold: they run programs, or log in to databases, as the server.
ONLY_IN_SETTINGS: Final = ("command", "sql")


@dataclass(frozen=True, slots=True)
class Read:
    """The checks of a text that are right, each with its line, and what is wrong with the others."""

    checks: tuple[tuple[Check, int], ...] = ()
    problems: tuple[Problem, ...] = ()


def read_yaml(text: str, file: str = "") -> Read:
    """Read the checks of a text: ``monitoring: checks:``, ``checks:``, or one check by itself."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    return Read() if root is None else _read_tree(root, Report(file))


def read_settings_yaml(text: str, file: str) -> Read:
    """Read ``monitoring: checks:`` of a settings file, whatever else it holds."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return _unreadable(error, file)
    monitoring = root.named("monitoring") if root is not None else None
    listed = monitoring.named("checks") if monitoring is not None else None
    report = Report(file)
    return Read() if listed is None else _read_checks(_items(listed, report), report)


def read_json(value: Any) -> Read:
    """Read one check from JSON."""
    report = Report()
    try:
        return _read_checks((json_tree(value),), report)
    except TreeError as error:
        return _unreadable(error, "")


def refused(check: Check) -> Problem | None:
    """Why a check may not be kept from pages: it would use what only the settings file may name."""
    hint = "write it in the settings file, below monitoring: checks:"
    if check.kind in ONLY_IN_SETTINGS:
        return Problem(f"checks of the kind {check.kind} stand in the settings file alone", check.kind, hint=hint)
    secrets = [getattr(check.options, "password", None)]
    if isinstance(check.options, Http):
        secrets += check.options.headers.values()
    if any(isinstance(each, SecretSource) for each in secrets):
        return Problem("checks with secrets stand in the settings file alone", f"{check.kind}.password", hint=hint)
    if getattr(check.options, "ca_file", ""):
        return Problem("files of the server are named in the settings file alone", f"{check.kind}.ca_file", hint=hint)
    return None


def _read_tree(root: Node, report: Report) -> Read:
    if root.sort != "mapping":
        report.add(root, "expected checks", "begin the file with `checks:`, or with the keys of one check")
        return Read((), tuple(report.problems))
    if not any(root.named(key) for key in _KEYS):
        return _read_checks((root,), report)
    nodes: list[Node] = []
    for entry in root.entries:
        if entry.key not in _KEYS:
            place = (entry.line, entry.column)
            report.add_at(entry.key, place, f"unknown key {entry.key!r}", meant(entry.key, _KEYS))
            continue
        listed = entry.value.named("checks") if entry.key == "monitoring" else entry.value
        nodes.extend(_items(listed, report) if listed is not None else ())
    return _read_checks(nodes, report)


def _read_checks(nodes: Iterable[Node], report: Report) -> Read:
    """Read checks, each by itself: what is wrong with one leaves the others."""
    found: dict[str, tuple[Check, int]] = {}
    for node in nodes:
        check = CHECK.read(node, report)
        if check is FAILED:
            continue
        if check.uid in found:
            line = found[check.uid][1]
            where = f", the first in line {line}" if line else ""
            hint = "give one of them another name, or a uid"
            report.add(node, f"two checks have the uid {check.uid!r}{where}", hint)
            continue
        found[check.uid] = (check, node.line)
    return Read(tuple(found.values()), tuple(report.problems))


def _unreadable(error: TreeError, file: str) -> Read:
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))


def _items(node: Node, report: Report) -> tuple[Node, ...]:
    if node.sort not in {"list", "null"}:
        report.add(node, "expected a list of checks", "begin each with a dash")
    return node.items
