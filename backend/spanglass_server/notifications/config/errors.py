"""What is wrong with a thing that is to be kept or deleted."""

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
