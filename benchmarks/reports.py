"""Reports over what is stored: how long each kind takes, the first time and again, and what of it is which question.

    python benchmarks/reports.py --data DIR [--last 30d] [--questions]

DIR is a data directory with spans, such as ``hundred_million.py`` leaves; it is served, so give a copy. With
``--questions`` all that the report of the week asks is asked again, one by one. Results go to
benchmarks/out/reports.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import requests

from loadgen.process import clean_up_on_sigterm, cpu_seconds
from loadgen.report import table, write
from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("week", "performance", "health", "usage", "cost")
_LOOK_S, _DEADLINE_S = 0.02, 600.0
#: Questions that take less are not told.
_TOLD_S = 0.05


def measured(server: ServerProcess, call: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Seconds by the clock and of the server's processor time, and what came."""
    begun, before = time.monotonic(), cpu_seconds(server.pid)
    found = call()
    return {"seconds": time.monotonic() - begun, "cpu_s": cpu_seconds(server.pid) - before}, found


def made(server: ServerProcess, kind: str, last: str) -> dict[str, Any]:
    """Have a report made, and wait for it."""
    asked = requests.post(f"{server.url}/api/v1/reports", json={"kind": kind, "last": last}, timeout=_DEADLINE_S)
    asked.raise_for_status()
    until_s = time.monotonic() + _DEADLINE_S
    while time.monotonic() < until_s:
        found: dict[str, Any] = asked_for(server, f"/api/v1/reports/{asked.json()['id']}")
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(_LOOK_S)
    raise TimeoutError(f"the report {kind} was not made in {_DEADLINE_S:g} s")


def asked_for(server: ServerProcess, address: str) -> dict[str, Any]:
    """The answer to a question."""
    answer = requests.get(server.url + address, timeout=_DEADLINE_S)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def questions(server: ServerProcess, report: dict[str, Any]) -> list[dict[str, Any]]:
    """What each question of a report takes alone, the longest first."""
    addresses = dict.fromkeys(address for section in report["sections"] for address in section["asked"])
    told = [
        {"question": unquote(each)[:120], **measured(server, lambda at=each: asked_for(server, at))[0]}
        for each in addresses
    ]
    return sorted((each for each in told if each["seconds"] >= _TOLD_S), key=lambda each: -each["cpu_s"])


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data directory, which is served")
    parser.add_argument("--last", default="30d", help="the range (default 30d)")
    parser.add_argument("--questions", action="store_true", help="ask the questions of the week one by one, too")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    results: dict[str, Any] = {"last": arguments.last, "reports": [], "questions": []}
    with (
        tempfile.TemporaryDirectory(prefix="spanglass-reports-") as folder,
        ServerProcess(arguments.data, {"alerting.shipped": "false"}, log=Path(folder) / "server.log") as server,
    ):
        week: dict[str, Any] = {}
        for kind in KINDS:
            for when in ("first", "again"):
                took, report = measured(server, lambda of=kind: made(server, of, arguments.last))
                results["reports"].append({"kind": kind, "when": when, "state": report["state"], **took})
                week = report if kind == "week" else week
        if arguments.questions:
            results["questions"] = questions(server, week.get("report") or week)
    print(table(results["reports"]))
    if results["questions"]:
        print(table(results["questions"]))
    write("reports", results)


if __name__ == "__main__":
    main()
