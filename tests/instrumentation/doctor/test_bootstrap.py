"""``spanglass bootstrap``: what it would install, how, and what it says when that fails."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version

import pytest

from spanglass.cli.diagnosis.missing import missing, unfit

FAIL = "import subprocess; subprocess.run = lambda words, **_: subprocess.CompletedProcess(words, 3)"


@pytest.fixture
def pymemcache(distribution):
    """Install a library whose instrumentation is not in the development environment."""
    distribution("pymemcache", version="4.0.0")
    return "opentelemetry-instrumentation-pymemcache"


def test_what_is_missing():
    """Only what is installed, in a version that is taken, and has no instrumentation yet; not what Spanglass does."""
    known = [
        {"library": "redis >= 2.6", "instrumentation": "opentelemetry-instrumentation-fakeredis==1"},
        {"library": "redis >= 900", "instrumentation": "opentelemetry-instrumentation-future==1"},
        {"library": "redis >= 2.6", "instrumentation": "opentelemetry-instrumentation-redis==1"},
        {"library": "no-such-library", "instrumentation": "opentelemetry-instrumentation-nothing==1"},
        {"library": "psutil >= 5", "instrumentation": "opentelemetry-instrumentation-system-metrics==1"},
        {"library": "pydantic >= 1", "instrumentation": "opentelemetry-instrumentation-tortoiseorm==1"},
    ]
    defaults = ["opentelemetry-instrumentation-fakestd==1", "opentelemetry-instrumentation-logging==1"]

    assert [(each.name, each.package, each.library) for each in missing(known, defaults)] == [
        ("fakeredis", "opentelemetry-instrumentation-fakeredis", "redis"),
        ("fakestd", "opentelemetry-instrumentation-fakestd", "python"),
    ]


def test_what_no_instrumentation_takes():
    """A library of another version than is taken is named, unless another entry of the same package takes one."""
    known = [
        {"library": "redis >= 900", "instrumentation": "opentelemetry-instrumentation-future==1"},
        {"library": "redis >= 900", "instrumentation": "opentelemetry-instrumentation-either==1"},
        {"library": "wrapt >= 1", "instrumentation": "opentelemetry-instrumentation-either==1"},
        {"library": "no-such-library", "instrumentation": "opentelemetry-instrumentation-nothing==1"},
        {"library": "redis >= 900", "instrumentation": "opentelemetry-instrumentation-redis==1"},
    ]

    assert [each.conflict for each in unfit(known)] == [
        f"redis {version('redis')} is installed, and its instrumentation takes >=900"
    ]


def test_a_version_that_is_not_taken_is_told(run, distribution):
    """Bootstrap and doctor say that the installed version is not taken, and which one is."""
    distribution("aio-pika", version="99.0")
    told = run("bootstrap", "--dry-run", prelude=FAIL).stdout
    listed = run("doctor", "--offline").stdout

    assert "Not to be had: aio_pika 99.0 is installed, and its instrumentation takes <11.0.0,>=7.2.0." in told
    assert "aio-pika: aio_pika 99.0 is installed, and its instrumentation takes <11.0.0,>=7.2.0" in listed
    assert "-> pip install 'aio_pika<11.0.0,>=7.2.0'" in listed


def test_requirements(run, pymemcache):
    """The list for another tool has the packages, those that their versions have to fit, and nothing else."""
    result = run("bootstrap", "--requirements")

    assert pymemcache in result.stdout.splitlines()
    assert {"opentelemetry-sdk", "opentelemetry-instrumentation"} <= set(result.stdout.splitlines())
    assert [line for line in result.stdout.splitlines() if not re.fullmatch(r"opentelemetry-[a-z0-9-]+", line)] == []
    assert result.returncode == 0


def test_dry_run(run, pymemcache):
    """A dry run shows the libraries, the packages and the command, and installs nothing."""
    result = run("bootstrap", "--dry-run", prelude=FAIL)

    *_, command = result.stdout.splitlines()
    assert "  pymemcache 4.0.0" in result.stdout
    assert command.startswith(f"{sys.executable} -m pip install ")
    assert pymemcache in command.split()
    assert result.returncode == 0


@pytest.mark.usefixtures("pymemcache")
def test_a_question_needs_a_terminal(run):
    """Without a terminal and without --yes nothing is installed, and the error says what to add."""
    result = run("bootstrap", prelude=FAIL)

    assert result.returncode == 1
    assert result.stderr == (
        "spanglass bootstrap: standard input is no terminal to ask on\n"
        "  install without asking: spanglass bootstrap --yes\n"
    )


@pytest.mark.usefixtures("pymemcache")
def test_an_installation_that_fails(run):
    """When pip fails, its exit code is told, and another way."""
    result = run("bootstrap", "--yes", prelude=FAIL)

    assert result.returncode == 1
    assert "nothing, or not everything, was installed" in result.stderr
    assert "exit code 3" in result.stderr


@pytest.mark.usefixtures("pymemcache")
def test_uv_where_there_is_no_pip(run, tmp_path):
    """In an environment without pip, uv is used if it is there; else the error names both ways out."""
    no_pip = "import importlib.util as u; find = u.find_spec; u.find_spec = lambda n: None if n == 'pip' else find(n)"
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)

    with_uv = run("bootstrap", "--dry-run", prelude=no_pip, PATH=str(tmp_path))
    without = run("bootstrap", "--dry-run", prelude=no_pip, PATH="/nonexistent")

    assert with_uv.stdout.splitlines()[-1].startswith(f"{uv} pip install --python {sys.executable} ")
    assert (without.returncode, without.stderr.splitlines()) == (
        1,
        [
            f"spanglass bootstrap: there is neither pip in {sys.prefix} nor uv on PATH",
            f"  install pip: {sys.executable} -m ensurepip",
            "  or print the list for another tool: spanglass bootstrap --requirements",
        ],
    )


def test_installing(run, pymemcache, tmp_path):
    """With --yes this interpreter's pip is run, with the versions of the base package if it can have them."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text(
        "import pathlib, sys; pathlib.Path('ran').write_text(' '.join(sys.argv[1:]))"
    )
    (tmp_path / "pip" / "__init__.py").touch()

    result = run("bootstrap", "--yes")

    assert result.returncode == 0
    assert (tmp_path / "ran").read_text().startswith("install ")
    assert f"{pymemcache}=={version('opentelemetry-instrumentation')}" in (tmp_path / "ran").read_text().split()


def test_libraries_for_language_models(run, distribution):
    """Their instrumentations of today are named, not their predecessor, and not in the base package's version."""
    distribution("openai", version="3.1.0")
    distribution("anthropic", version="0.60.0")
    shown = run("bootstrap", "--dry-run", prelude=FAIL.replace("3)", "0)")).stdout

    assert "opentelemetry-instrumentation-openai-v2" not in shown
    command = shown.splitlines()[-1].split()
    assert {"opentelemetry-instrumentation-genai-openai", "opentelemetry-instrumentation-genai-anthropic"} <= set(
        command
    )


def test_an_instrumentation_of_somebody_else_is_enough(run, distribution):
    """Where a library is instrumented already, by whomever, no second instrumentation is asked for."""
    distribution("openai", version="3.1.0")
    distribution("telemetry-llm", entry="openai", requires=["openai >= 1; extra == 'instruments'"], code="")

    assert "genai-openai" not in run("bootstrap", "--dry-run", prelude=FAIL).stdout
    assert "genai-openai" not in run("doctor", "--offline").stdout
