"""Why a thing can't be kept or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forms.problems import Problem


class ConfigurationError(ValueError):
    """What was given is wrong; ``problems`` has one for each wrong field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ConflictError(Exception):
    """Somebody else was faster; ``current`` is the version now, "" if it is gone."""

    def __init__(self, name: str, current: str) -> None:
        super().__init__(f"{name!r} was changed by somebody else" if current else f"{name!r} was deleted")
        self.current = current


class ElsewhereError(Exception):
    """The thing stands in the settings file, and is changed there."""

    def __init__(self, name: str, file: str, line: int) -> None:
        super().__init__(f"{name!r} stands in {file}, line {line}: change it there")
        self.file = file
        self.line = line
