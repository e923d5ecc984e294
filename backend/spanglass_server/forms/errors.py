"""Why something that people write can't be kept or deleted."""

from __future__ import annotations


class ConflictError(Exception):
    """Somebody else was faster; ``current`` is the version that it has now, "" if it is gone."""

    def __init__(self, what: str, current: str) -> None:
        """``what`` is how people call it: ``the rule 'high-latency'``."""
        super().__init__(f"{what} was changed by somebody else" if current else f"{what} was deleted")
        self.current = current


class ElsewhereError(Exception):
    """It stands in a file that only people change; ``or_else`` is what can be done besides."""

    def __init__(self, what: str, file: str, line: int = 0, or_else: str = "") -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{what} stands in {place}: change it there{or_else}")


class TooManyError(Exception):
    """There are as many as a server may have; a new one would not count."""

    def __init__(self, many: str, most: int) -> None:
        super().__init__(f"there are {most} {many}, and no more can be kept")
