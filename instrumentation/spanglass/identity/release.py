"""The commit that is running, read from the repository's files: no git command is started."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHOWN = 12  # characters; unique in any repository a person works on


def git_commit(folder: Path) -> str:
    """Return the first 12 characters of the commit checked out around ``folder``, or "" if there is none."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.exists():
            try:
                return _read_head(_git_dir(git))[:_SHOWN]
            except (OSError, UnicodeDecodeError):
                return ""
    return ""


def _git_dir(git: Path) -> Path:
    """Follow the file that stands for the directory in a worktree or submodule."""
    if git.is_dir():
        return git
    return git.parent / git.read_text("utf-8").partition("gitdir:")[2].strip()


def _read_head(git: Path) -> str:
    head = (git / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else ""
    name = head.removeprefix("ref:").strip()
    shared = git / "commondir"
    places = (git, (git / shared.read_text("utf-8").strip()) if shared.exists() else git)
    for place in places:
        if (place / name).is_file():
            return (place / name).read_text("utf-8").strip()
    return _packed(places[-1] / "packed-refs", name)


def _packed(file: Path, name: str) -> str:
    if not file.is_file():
        return ""
    rows = (line.split(" ") for line in file.read_text("utf-8").splitlines() if line.endswith(f" {name}"))
    return next((row[0] for row in rows), "")
