"""Whether instrumentations can be imported, tried in a process of its own: importing one imports its library.

A module may print, hang, end the process or crash the interpreter; then it is to blame, and the next go on in another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from spanglass.settings.components import corrections

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_S = 60.0
_MARK = "spanglass-loading "

_PROGRAM = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[2])
from importlib.metadata import entry_points
report = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
found = {each.name: each for each in reversed(list(entry_points(group="opentelemetry_instrumentor")))}
for name in json.loads(sys.argv[1]):
    report.write(f"\\n{MARK}{json.dumps([name])}\\n")
    try:
        found[name].load()
        error = ""
    except BaseException as failure:
        error = " ".join(f"{type(failure).__name__}: {failure}".split())[:300]
    report.write(f"\\n{MARK}{json.dumps([name, error])}\\n")
report.close()
os._exit(0)
""".replace("{MARK}", _MARK)


def failures(names: Sequence[str], timeout_s: float = _TIMEOUT_S) -> dict[str, str]:
    """Import each instrumentation; gives what went wrong by name."""
    failed: dict[str, str] = {}
    left = list(names)
    while left:
        lines, ended = _attempt(left, timeout_s)
        done = {line[0]: line[1] for line in lines if len(line) == 2}  # noqa: PLR2004 - a name and its error
        failed |= {name: error for name, error in done.items() if error}
        begun = next((line[0] for line in reversed(lines) if line[0] not in done), None)
        left = [name for name in left if name not in done and name != begun]
        if begun is not None:
            failed[begun] = ended
        elif not done:  # not even the first was reached
            return failed | dict.fromkeys(left, ended)
    return failed


def _attempt(names: Sequence[str], timeout_s: float) -> tuple[list[list[str]], str]:
    """Run the program; gives the lines that it reported, and how it ended in words."""
    words = [sys.executable, "-c", _PROGRAM, json.dumps(names), json.dumps(sys.path)]
    environ = {name: text for name, text in os.environ.items() if name != "SPANGLASS_RUN"} | corrections(os.environ)
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
        output, how = ended.stdout, f"importing it ends the process (exit code {ended.returncode})"
    except subprocess.TimeoutExpired as error:
        output, how = error.stdout or b"", f"importing it takes longer than {timeout_s:.0f} s"
    lines = output.decode(errors="replace").splitlines()
    return [json.loads(line.removeprefix(_MARK)) for line in lines if line.startswith(_MARK)], how
