"""The lock file: what `make` installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normal(requirement: str) -> str:
    """Return the normalised name of a requirement (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_every_dependency_is_locked() -> None:
    """What both distributions, every extra and their builds require is locked: `make lock` was not forgotten."""
    application, server = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")) for folder in (".", "backend")
    )
    lists = [
        application["project"]["dependencies"],
        *application["project"]["optional-dependencies"].values(),
        server["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"],
        application["build-system"]["requires"],
        server["build-system"]["requires"],
    ]
    wanted = {normal(line) for requirements in lists for line in requirements}
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    assert wanted - {"spanglass", "spanglass-server"} - locked == set()


def test_every_version_has_a_hash() -> None:
    """Pip's --require-hashes refuses a lock file in which one is missing."""
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_names_no_place() -> None:
    """No index, no URL and no path: it installs from whatever registry pip is set up with."""
    assert [line for line in LOCK.splitlines() if "://" in line or "/" in line or line.startswith("--")] == []
