"""What ``spanglass routes check`` and ``import`` do with files where the server is installed, and need not run.

The command line finds these functions by their entry points, and gets plain values: neither side imports the other.
"""

from __future__ import annotations

from typing import Any

from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.notifications.channels.kinds import channel_kinds
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.checking import check_text
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.importing.reading import imported, is_alertmanager
from spanglass_server.notifications.people.sections import people_sections


def check(text: str, file: str) -> dict[str, Any]:
    """Check a settings file, or one of Alertmanager: how many there are of each sort, problems, and notes."""
    sections = _sections()
    notes: list[dict[str, Any]] = []
    if _is_alertmanager(text):
        taken = imported(text, file, sections)
        notes = [dict(note.as_json()) for note in taken.notes]
        if taken.problems:
            return {"counts": {}, "problems": [problem.as_json() for problem in taken.problems], "notes": notes}
        text = taken.yaml
    checked = check_text(text, file, sections)
    return {
        "counts": {sections.noun(name): count for name, count in checked.counts.items()},
        "problems": [problem.as_json() for problem in checked.problems],
        "notes": notes,
    }


def convert(text: str, file: str) -> dict[str, Any]:
    """Take over a file of Alertmanager: settings as YAML, "" with problems, and notes."""
    taken = imported(text, file, _sections())
    return {
        "yaml": taken.yaml,
        "problems": [problem.as_json() for problem in taken.problems],
        "notes": [note.as_json() for note in taken.notes],
    }


def _sections() -> Sections:
    return Sections([channel_section(channel_kinds()), *route_sections(), *people_sections()])


def _is_alertmanager(text: str) -> bool:
    try:
        root = yaml_tree(text)
    except TreeError:
        return False
    return root is not None and is_alertmanager(root)
