"""``spanglass run``: which words are the program's, and what is said of programs that telemetry can't begin in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loadgen.server import SPANGLASS
from spanglass.cli import run
from spanglass.cli.errors import CliError

PYTHON = sys.executable


@pytest.fixture
def executed(monkeypatch, tmp_path):
    """Run ``spanglass run`` in a folder with ``app.py``; gives the program's words and environment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("")
    done = []
    monkeypatch.setattr(os, "execve", lambda _path, words, environ: done.append((words, environ)))

    def command(*words):
        run.command(words)
        return done.pop()

    return command


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["app.py", "--help"], [PYTHON, "app.py", "--help"]),
        (["app.py", "--service-name", "other", "-m", "x"], [PYTHON, "app.py", "--service-name", "other", "-m", "x"]),
        (["--", "app.py", "--", "-x"], [PYTHON, "app.py", "--", "-x"]),
        (["-m", "worker", "--environment", "staging"], [PYTHON, "-m", "worker", "--environment", "staging"]),
        (["-m", "flask", "--app", "x", "run"], [PYTHON, "-m", "flask", "--app", "x", "run"]),
        (["-mworker", "-m", "--set", "a=b", "--", "c"], [PYTHON, "-m", "worker", "-m", "--set", "a=b", "--", "c"]),
        (["--", "-m", "worker", "--", "-h"], [PYTHON, "-m", "worker", "--", "-h"]),
        (["--environment", "dev", "-m", "worker", "-h"], [PYTHON, "-m", "worker", "-h"]),
        (["--environment=dev", "--", "app.py", "-h"], [PYTHON, "app.py", "-h"]),
        (["--set", "sample_ratio=1", "app.py", "--set", "x"], [PYTHON, "app.py", "--set", "x"]),
        ([PYTHON, "-m", "worker", "--token", "t"], [PYTHON, "-m", "worker", "--token", "t"]),
    ],
)
def test_what_stands_after_the_program_is_its_own(executed, words, program):
    """Script, module or program, after options of ours or ``--``: every word from there on is passed on as it is."""
    found, environ = executed(*words)

    assert found == program
    assert environ.get("SPANGLASS_ENVIRONMENT") == ("dev" if "dev" in " ".join(words) else None)


@pytest.mark.parametrize("words", [[], ["--"], ["--environment", "dev"], ["-m"], ["--", "-m"]])
def test_without_a_program_it_is_said(executed, words):
    """Where no program is named, an example says how."""
    with pytest.raises(CliError, match="no program to run"):
        executed(*words)


def test_a_module_gets_its_options(tmp_path):
    """A real module sees what ``python -m`` would give it."""
    (tmp_path / "worker.py").write_text("import sys; print(sys.argv[1:], __name__)")
    words = ["-m", "worker", "--environment", "staging", "--", "-m"]
    done = subprocess.run(
        [SPANGLASS, "run", "--set", "traces=false", *words], cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | {"SPANGLASS_ENDPOINT": "http://127.0.0.1:1", "SPANGLASS_FLUSH_TIMEOUT": "100ms"},
    )  # fmt: skip

    assert done.stdout == "['--environment', 'staging', '--', '-m'] __main__\n"


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (["-I"], "-I"),
        (["-BE"], "-E"),
        (["-u", "-X", "dev", "-W", "error", "-S"], "-S"),
        (["-Xdev", "-Werror::SomeError", "-u"], ""),
        (["-m", "flask", "-E"], ""),
        (["-c", "pass", "-I"], ""),
        (["app.py", "-I"], ""),
    ],
)
def test_options_by_which_telemetry_stays_off_are_warned_of(executed, capsys, options, option):
    """-I, -E and -S of the interpreter are named, with what to do; options of what it runs are not taken for them."""
    executed(PYTHON, *options)

    said = capsys.readouterr().err
    assert (f"with {option}, which ignores what starts telemetry" in said) == bool(option)
    assert ("spanglass.configure()" in said) == bool(option)


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (f"#!{PYTHON} -E", "-E"),
        ("#!/usr/bin/env -S python3 -sI", "-I"),
        (f"#!{PYTHON}", ""),
        ("#!/bin/sh -E", ""),
    ],
)
def test_so_are_those_of_a_first_line(executed, capsys, tmp_path, line, option):
    """A script whose first line starts Python with such an option is warned of as well."""
    script = tmp_path / "shop"
    script.write_text(f"{line}\n")
    script.chmod(0o755)
    found, _ = executed("./shop", "-I")

    assert found == [str(script), "-I"]
    assert (f"shop runs Python with {option}," in capsys.readouterr().err) == bool(option)
