"""Builds of the server to compare: this checkout, and another commit in a git worktree with its own environment."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadgen.report import OUT
from loadgen.server import SPANGLASS

ROOT = Path(__file__).parents[3]
_PROGRAM = Path(".venv", "bin", "spanglass")


@dataclass(frozen=True)
class Build:
    """A build: what it is called in tables, its commit, and its console script."""

    name: str
    commit: str
    program: str


def this_build() -> Build:
    """Return the build of this checkout, as the interpreter in use has it installed."""
    return Build("new", _commit(ROOT), SPANGLASS)


def base_build(base: str) -> Build:
    """Return the build of a commit, or of a checkout in a folder that has its .venv.

    A commit gets a worktree in benchmarks/out/builds, set up as `make setup` does; it stays for the next run.
    """
    folder = Path(base)
    if folder.is_dir():
        if not (folder / _PROGRAM).exists():
            raise SystemExit(f"--base {base}: no {_PROGRAM} in it; run `make setup` there, or name a commit")
    else:
        folder = _worktree(base)
    return Build("base", _commit(folder), str((folder / _PROGRAM).absolute()))


def _worktree(commit: str) -> Path:
    """Make the worktree of a commit, with its environment, unless it is there."""
    named = _git(ROOT, "rev-parse", "--verify", "--quiet", "--short=12", f"{commit}^{{commit}}")
    if not named:
        raise SystemExit(f"--base {commit}: neither a commit of this repository nor a folder")
    folder = OUT / "builds" / named
    if not (folder / _PROGRAM).exists():
        if not (folder / "Makefile").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _run(["git", "worktree", "prune"], ROOT)
            _run(["git", "worktree", "add", "--quiet", "--detach", str(folder), named], ROOT)
        _run(["make", "setup"], folder)
    return folder


def _commit(folder: Path) -> str:
    """Name the commit of a checkout, marked when files were changed; empty where there is no git."""
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def _git(folder: Path, *words: str) -> str:
    made = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    return made.stdout.strip()


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed in {folder}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
