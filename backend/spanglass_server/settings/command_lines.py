"""A setting that lists commands, each with all its arguments."""

from __future__ import annotations

import shlex
from typing import Final

from spanglass_core.settings_types import SettingType


def parse_command_lines(text: str) -> tuple[tuple[str, ...], ...]:
    """Read ``/bin/one --argument, /bin/two``. Raises ``ValueError`` for what no command is."""
    lines = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(_words(line) for line in lines)


def format_command_lines(value: tuple[tuple[str, ...], ...]) -> str:
    """Write it back."""
    return ", ".join(map(shlex.join, value))


def _words(line: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(line))
    except ValueError:
        raise ValueError(f"a quote is open in {line!r}: close it") from None
    if not words[0].startswith("/"):
        raise ValueError(
            f"{line!r} begins with no absolute path: write it with all its arguments, such as /bin/page --now"
        )
    return words


COMMAND_LINES: Final = SettingType("list", parse_command_lines, format_command_lines)
