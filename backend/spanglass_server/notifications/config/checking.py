"""All that is wrong with a settings file's part about notifications, without a data directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.notifications.config.naming import Naming, shelved
from spanglass_server.notifications.config.sources import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.files import Contents
    from spanglass_server.forms.problems import Problem
    from spanglass_server.notifications.config.sections import Found, Sections


@dataclass(frozen=True, slots=True)
class Checked:
    """How many things of each section are right, and what is wrong."""

    counts: Mapping[str, int]
    problems: tuple[Problem, ...]


def check_text(text: str, file: str, sections: Sections) -> Checked:
    """Check the text of a settings file."""
    return check(read_settings(text, file, sections), sections)


def check(contents: Contents[Found], sections: Sections) -> Checked:
    """Check what a settings file holds: what could not be read, and names that lead nowhere."""
    standing, _ = shelved(contents.found)
    counts = {name: len(things) for name, things in standing.items()}
    return Checked(counts, (*contents.problems, *Naming(sections).leading_nowhere(standing, contents.problems)))
