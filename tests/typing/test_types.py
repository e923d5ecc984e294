"""The types of our API, as mypy and pyright see them in an application: the packages are installed, and typed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pyright() -> str:
    """Return the program pyright, which is npm's: ``.ci/run`` puts it into ``build/pyright``."""
    found = shutil.which("pyright", path=f"{ROOT}/build/pyright/node_modules/.bin") or shutil.which("pyright")
    if found is None:
        missing = pytest.fail if os.environ.get("SPANGLASS_REQUIRE_ALL") == "1" else pytest.skip
        missing("pyright is missing: .ci/pyright installs it, and needs npm")
    return found


def test_mypy_sees_what_the_files_say(tmp_path):
    """Every assert_type holds, an expected error is one, and nothing of ours is untyped where it is installed."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11", "--cache-dir", tmp_path,
         HERE / "api_types.py", HERE / "application.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (checked.returncode, checked.stdout.strip()) == (0, "Success: no issues found in 2 source files")


def test_pyright_has_nothing_to_say_of_an_application(pyright, tmp_path):
    """In its strict mode every type is known; the application asks for that in a comment."""
    (tmp_path / "application.py").write_text((HERE / "application.py").read_text())
    checked = subprocess.run(
        [pyright, "--pythonpath", sys.executable, "--pythonversion", "3.11", "application.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (checked.returncode, checked.stdout.strip()) == (0, "0 errors, 0 warnings, 0 informations")
