"""Programs that do to themselves what a machine may do to an application, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LIMIT_S = 180  # only a failure waits so long
UNREACHABLE = "http://127.0.0.1:1"  # nobody listens on port 1


@pytest.fixture
def execute(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code, or a command if ``words`` are given, until its end; nobody listens where its telemetry goes."""

    def run(
        code: str = "", *, words: Sequence[str] = (), variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
        ours = {"SPANGLASS_ENDPOINT": UNREACHABLE, "SPANGLASS_CONSOLE": "off", "SPANGLASS_FLUSH_TIMEOUT": "200ms"}
        command = words or [sys.executable, "-c", textwrap.dedent(code)]
        return subprocess.run(
            command, cwd=tmp_path, env=kept | ours | dict(variables or {}), capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip

    return run
