"""Programs as they are named on a command line: where they begin, what runs them, whether telemetry can begin there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_MAX_SHEBANG = 512  # bytes
# Options of the interpreter that take the next word as their value, as letters: -c and -m end the options, too.
_WITH_VALUE = "WX"
_LAST = "cm"
#: Options that keep the interpreter from reading PYTHONPATH, or from importing what is found there at its start.
_DEAF = {"I": "-I", "E": "-E", "S": "-S"}


def split(words: Sequence[str], with_value: Collection[str]) -> tuple[list[str], str, list[str]]:
    """Part our options from a program: gives them, the module of ``-m``, and the program's own words.

    ``with_value`` names options that take the next word. From the program, the module or ``--`` on nothing is ours.
    """
    own: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return own, *_module(left)
        if word == "-" or not word.startswith("-") or _is_module(word):
            return own, *_module([word, *left])
        own.append(word)
        if word in with_value and left:
            own.append(left.pop(0))
    return own, "", []


def _is_module(word: str) -> bool:
    return word.startswith("-m")


def _module(words: list[str]) -> tuple[str, list[str]]:
    """Take ``-m module``, also as one word, from the front of words."""
    if not words or not _is_module(words[0]):
        return "", words
    joined = words[0].removeprefix("-m")
    return (joined, words[1:]) if joined else ("".join(words[1:2]), words[2:])


def shebang(path: Path) -> list[str]:
    """Read the words of a script's first line; none if it has no such line."""
    try:
        with path.open("rb") as file:
            line = file.read(_MAX_SHEBANG).partition(b"\n")[0].decode(errors="replace")
    except OSError:
        return []
    return line.removeprefix("#!").split() if line.startswith("#!") else []


def interpreter(path: Path) -> str:
    """Return the Python that runs a program: itself, or what its first line names; empty if there is none."""
    if path.name.startswith("python"):
        return str(path)
    python = next((word for word in shebang(path) if "python" in Path(word).name), "")
    return shutil.which(python) or python


def deafness(path: Path, arguments: Sequence[str]) -> str:
    """Return the option by which a program's interpreter does not see our telemetry; empty if there is none."""
    if path.name.startswith("python"):
        return _deaf_option(arguments)
    words = shebang(path)
    at = next((at for at, word in enumerate(words) if "python" in Path(word).name), len(words))
    return _deaf_option(words[at + 1 :])


def _deaf_option(arguments: Sequence[str]) -> str:
    left = list(arguments)
    while left and left[0].startswith("-") and left[0] not in {"-", "--"}:
        word = left.pop(0)
        if word.startswith("--"):
            continue
        for at, letter in enumerate(word[1:], start=1):
            if letter in _DEAF:
                return _DEAF[letter]
            if letter in _LAST:
                return ""
            if letter in _WITH_VALUE:
                if at == len(word) - 1:
                    del left[:1]
                break
    return ""


def deaf(option: str, program: str) -> tuple[str, str]:
    """Say that a program does not see our telemetry, and what to do about it."""
    return (
        f"{program} runs Python with {option}, which ignores what starts telemetry: nothing of it is sent",
        f"leave {option} out, or call spanglass.configure() in the program",
    )
