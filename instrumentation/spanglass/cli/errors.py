"""Exit codes, the one error that ends a command, and parts that may be missing because an extra brings them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the process returns; docs/cli.md says the same."""

    OK = 0
    FAILED = 1  # no server, a server's error, a file that can't be read
    USAGE = 2  # an option, a filter or a statement is wrong
    NOT_FOUND = 3  # nothing has the id or name that was asked for
    REJECTED = 4  # the server left out some of the records that were sent
    INTERRUPTED = 130  # Ctrl-C


class CliError(Exception):
    """A command can't go on. ``details`` are further lines: where the mistake is, what to do next."""

    def __init__(self, message: str, *details: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.details = details
        self.code = code


def missing(what: str, extra: str, *details: str) -> CliError:
    """Make the error for a part that is not installed."""
    return CliError(what, f"install it: pip install 'spanglass[{extra}]'", *details)
