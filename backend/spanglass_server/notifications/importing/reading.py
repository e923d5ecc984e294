"""The text of an Alertmanager's file to the text of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.forms.dumping import dump
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.notifications.config.sources import read_settings
from spanglass_server.notifications.importing.conversion import converted
from spanglass_server.notifications.importing.spec import FILE

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.notifications.config.sections import Sections


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: settings as YAML, "" where there are problems; ``notes`` say what is not as it was."""

    yaml: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def imported(text: str, file: str, sections: Sections) -> Imported:
    """Take over an Alertmanager's file. What comes of it is read as settings are, so that it is right."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return Imported(problems=(Problem(str(error), "", error.line, error.column, file=file),))
    if root is None:
        return Imported(problems=(Problem("the file is empty", file=file),))
    problems, notes = Report(file), Report(file)
    theirs = FILE.read(root, problems)
    if theirs is FAILED:
        return Imported(problems=tuple(problems.problems))
    settings = dump(converted(theirs, root, problems, notes))
    if problems.problems:
        return Imported("", tuple(problems.problems), tuple(notes.problems))
    refused = read_settings(settings, "", sections).problems
    told = tuple(Problem(each.message, each.path, hint=each.hint, file=file) for each in refused)
    return Imported("" if told else settings, told, tuple(notes.problems))


def is_alertmanager(root: Node) -> bool:
    """Whether a tree is a file of Alertmanager's, not of ours."""
    return root.named("receivers") is not None or (root.named("route") is not None and root.named("monitoring") is None)
