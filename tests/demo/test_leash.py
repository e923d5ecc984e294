"""No process of the demo outlives the one that started it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from running import Demo

LIMIT_S = 180


def leashed(target: str, demo: Demo) -> subprocess.Popen[bytes]:
    """Start `target` on a leash that we hold."""
    command = [sys.executable, "-m", "shop.leash", target]
    return subprocess.Popen(command, env=demo.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_process_ends_when_its_leash_is_let_go(demo: Demo) -> None:
    """Closing the pipe, which is what the end of the parent does, ends a target that waits for ever."""
    with leashed("leash_targets:wait_for_ever", demo) as process:
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(LIMIT_S) == 0


def test_sigterm_runs_exit_handlers(demo: Demo) -> None:
    """SIGTERM is an orderly exit, code 0: telemetry that waits is sent by exit handlers."""
    with leashed("leash_targets:announce_and_wait", demo) as process:
        assert process.stdout.readline() == b"waiting\n"
        process.terminate()
        assert (process.stdout.read(), process.wait(LIMIT_S)) == (b"exit handler ran\n", 0)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_no_orphans(how: signal.Signals, demo: Demo, tmp_path: Path) -> None:
    """However the supervisor ends, SIGTERM, kill -9 or (below) Ctrl-C: all its processes are gone."""
    process, _ = demo.start(tmp_path, "--send-to", "http://127.0.0.1:9", "--rate", "5")
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 6
    ends_without_orphans(process, children, how)


def ends_without_orphans(process: subprocess.Popen[str], children: list[psutil.Process], how: signal.Signals) -> None:
    """End the supervisor with a signal: none of its processes is left."""
    os.kill(process.pid, how)
    process.communicate(timeout=LIMIT_S)
    _, alive = psutil.wait_procs(children, LIMIT_S)
    assert alive == []
    assert process.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 0)


@pytest.mark.slow
def test_a_service_that_dies_ends_the_demo_with_its_last_words(demo: Demo, tmp_path: Path) -> None:
    """A crash is not hidden: the demo stops with code 1, names the process and shows the end of its output.

    Nor do files keep it from starting that were cut off when the last one crashed.
    """
    for name in ("surprise.json", "faults.json"):
        (tmp_path / "shop").mkdir(exist_ok=True)
        (tmp_path / "shop" / name).write_text("", encoding="utf-8")
    process, _ = demo.start(tmp_path, "--send-to", "http://127.0.0.1:9", "--rate", "0")
    catalog = next(
        child for child in psutil.Process(process.pid).children() if "shop.services.catalog:main" in child.cmdline()
    )
    catalog.kill()
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert re.search(r"The demo stops: catalog ended with code -9. The end of \S+catalog.out", errors)


@pytest.mark.slow
def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo, tmp_path: Path) -> None:
    """It says what to do and touches nothing: the first one goes on, with its switches as they were, until Ctrl-C."""
    arguments = ("--send-to", "http://127.0.0.1:9", "--rate", "0")
    process, _ = demo.start(tmp_path, *arguments)
    try:
        switches = tmp_path / "shop" / "faults.json"
        switches.write_text('["slow_query"]', encoding="utf-8")
        with pytest.raises(
            AssertionError, match=r"another demo runs in .*: stop that one, or give another folder with"
        ):
            demo.start(tmp_path, *arguments)
        assert switches.read_text(encoding="utf-8") == '["slow_query"]'
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 5
        ends_without_orphans(process, children, signal.SIGINT)
    finally:
        demo.stop(process)
