"""The types of the manual API, as mypy sees them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_type_checker_sees_what_the_file_says(tmp_path):
    """Every assert_type holds, and every error that is expected is one: strict mypy warns of unused ignores."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path, "tests/typing/api_types.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout.strip()) == (0, "Success: no issues found in 1 source file")
