"""The start of a process under ``spanglass run``: as ``configure()`` in its first line would do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spanglass.guard import RUN_VARIABLE

#: The folder with ``sitecustomize``.
AUTOLOAD = Path(__file__).parent / "autoload"

# Interpreters that a program starts in passing. Not multiprocessing's fork server: its children are the workers.
_HELPERS = ("from multiprocessing.resource_tracker",)
_TOOLS = {"pip", "venv", "ensurepip", "compileall"}


def begin() -> None:
    """Configure by the environment, unless this interpreter is only a helper; never raises."""
    if not _is_helper(sys.orig_argv[1:]):
        from spanglass.start.setup import configure  # noqa: PLC0415 - helpers don't pay for it

        configure()


def environment(environ: dict[str, str], service_name: str) -> dict[str, str]:
    """Return the environment that makes an interpreter, and its children, start with ``begin``."""
    paths = [path for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(AUTOLOAD)]
    made = {**environ, "PYTHONPATH": os.pathsep.join([str(AUTOLOAD), *paths]), RUN_VARIABLE: "1"}
    made.setdefault("SPANGLASS_IN_PROGRESS", "true")
    stated = "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not (stated or made.get("SPANGLASS_SERVICE_NAME") or made.get("OTEL_SERVICE_NAME")):
        made["SPANGLASS_SERVICE_NAME"] = service_name
    return made


def _is_helper(words: list[str]) -> bool:
    code = words[words.index("-c") + 1] if "-c" in words[:-1] else ""
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
    return code.startswith(_HELPERS) or module in _TOOLS
