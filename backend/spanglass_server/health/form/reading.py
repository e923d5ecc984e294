"""From YAML text or JSON to checks, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.listed import Listed
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.forms.secrets import SecretSource
from spanglass_server.health.check import Http
from spanglass_server.health.form.spec import CHECK

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.health.check import Check

_LISTED = Listed(CHECK, "checks", "check", "checks")
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
    report = Report(file)
    return Read(_LISTED.of_settings(root, report), tuple(report.problems))


def read_json(value: Any) -> Read:
    """Read one check from JSON."""
    report = Report()
    try:
        return Read(_LISTED.read((json_tree(value),), report), tuple(report.problems))
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
    """Read the checks of a file's tree."""
    return Read(_LISTED.of_file(root, report), tuple(report.problems))


def _unreadable(error: TreeError, file: str) -> Read:
    return Read((), (Problem(str(error), "", error.line, error.column, file=file),))
