"""An export of everything beside its server, and one that is killed and goes on: how fast, in what memory.

    python benchmarks/export.py --data DIR [--last 30d] [--parts 4]

DIR is a data directory with spans, such as ``hundred_million.py`` leaves; it is served, so give a copy. Exports all
spans of the range as Parquet, once in one go, once killed (SIGKILL) after each part of some and begun again, and
compares their records. Results go to benchmarks/out/export.json; ``imports.py`` measures imports.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from loadgen.process import clean_up_on_sigterm, cpu_seconds
from loadgen.report import table, write
from loadgen.server import ServerProcess

_MB = 1 << 20
_LOOK_S = 0.05


def command(server: ServerProcess, *words: str) -> subprocess.Popen[bytes]:
    """Start the command line against a server."""
    return subprocess.Popen(
        [sys.executable, "-m", "spanglass.cli.main", *words], env={**os.environ, "SPANGLASS_URL": server.url}
    )


def measured(server: ServerProcess, *words: str) -> dict[str, Any]:
    """Run a command to its end: seconds, processor time of both, the largest memory of both."""
    begun, before = time.monotonic(), cpu_seconds(server.pid)
    running = command(server, *words)
    _, status, used = os.wait4(running.pid, 0)
    if status:
        sys.exit(f"spanglass {' '.join(words)} failed")
    return {
        "seconds": time.monotonic() - begun,
        "server_cpu_s": cpu_seconds(server.pid) - before,
        "command_cpu_s": used.ru_utime + used.ru_stime,
        "server_peak_mb": peak_mb(server.pid),
        "command_peak_mb": used.ru_maxrss / 1024,
    }


def peak_mb(pid: int) -> float:
    """The largest resident memory that a process had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def killed_often(server: ServerProcess, words: list[str], directory: Path, parts: int) -> int:
    """Kill an export as soon as another part of it is there, so many times, then let it end; how often it was begun."""
    begun = 0
    for wanted in [*range(1, parts), 0]:
        running = command(server, *words)
        begun += 1
        while running.poll() is None:
            if wanted and len([*directory.glob("spans-*.parquet")]) >= wanted:
                running.kill()
            time.sleep(_LOOK_S)
    return begun


def records(directory: Path) -> int:
    """How many records the files of an export have."""
    return sum(pq.ParquetFile(path).metadata.num_rows for path in directory.glob("spans-*.parquet"))


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data directory, which is served")
    parser.add_argument("--last", default="30d", help="the range (default 30d)")
    parser.add_argument("--parts", type=int, default=4, help="how many parts the killed export is killed after")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="spanglass-export-") as folder:
        results = measure(arguments, Path(folder))
    print(table([results["export"]]))
    print(f"killed and begun again {results['begun']} times: the same records, {json.dumps(results['same'])}")
    write("export", results)


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure all of it in an empty folder."""
    now = dt.datetime.now(dt.UTC).isoformat()  # one range for both exports
    words = ["export", "--signal", "spans", "--last", arguments.last, "--end", now, "-o"]
    whole, killed = folder / "whole", folder / "killed"
    with ServerProcess(arguments.data, {"alerting.shipped": "false"}, log=folder / "server.log") as server:
        one = measured(server, *words, str(whole))
        begun = killed_often(server, [*words, str(killed)], killed, arguments.parts)
    return {
        "export": {"records": records(whole), **one},
        "begun": begun,
        "same": records(whole) == records(killed),
    }


if __name__ == "__main__":
    main()
