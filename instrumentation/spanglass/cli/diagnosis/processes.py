"""Processes: how this platform makes them, and what the command that is to be run will do."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.cli.programs import deaf, deafness, interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_AREA = "processes"


def facts() -> dict[str, Any]:
    """Return how processes are made here."""
    return {
        "platform": sys.platform,
        "fork": hasattr(os, "fork"),
        "register_at_fork": hasattr(os, "register_at_fork"),
        "start_method": multiprocessing.get_start_method(),
    }


def findings(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return what happens to telemetry in workers, in general and with this command."""
    if hasattr(os, "register_at_fork"):
        text = "a forked worker starts its own exporters: gunicorn with and without --preload, celery, multiprocessing"
        yield Finding(_AREA, Severity.OK, f"{text} (start method {multiprocessing.get_start_method()})")
    else:
        text = "this platform does not fork: workers are new processes, instrumented under `spanglass run` only"
        yield Finding(_AREA, Severity.NOTE, text)
    if command:
        yield from _of_command(list(command), environ)


def _of_command(words: list[str], environ: Mapping[str, str]) -> Iterator[Finding]:
    program = Path(words[0]).name
    if program in {"spanglass", "opentelemetry-instrument"}:
        text = f"{program} is not the program: name what it runs"
        yield Finding(_AREA, Severity.NOTE, text, "for example: spanglass doctor -- gunicorn shop.web:app")
        return
    path = _find(words[0])
    if path is None:
        text = f"there is no program {words[0]!r} on PATH or in this environment"
        yield Finding(_AREA, Severity.PROBLEM, text, f"install it in this environment: {sys.executable} -m pip install")
        return
    python = interpreter(path)
    if python and not _same_environment(python):
        text = f"{path} runs with {python}, another environment than this one ({sys.prefix})"
        yield Finding(_AREA, Severity.PROBLEM, text, f"{python} -m pip install spanglass, and run its doctor")
    if option := deafness(path, words[1:] if path.name == program else words):
        yield Finding(_AREA, Severity.WARNING, *deaf(option, program))
    for check in _CHECKS.get(program, ()):
        yield from check(words[1:], environ)


def _gunicorn(words: Sequence[str], environ: Mapping[str, str]) -> Iterator[Finding]:
    every = [*environ.get("GUNICORN_CMD_ARGS", "").split(), *words]
    if "--preload" in every:
        text = "gunicorn --preload loads the application once and forks; each worker sends for itself"
        yield Finding(_AREA, Severity.OK, text)
    kind = _option(every, "-k", "--worker-class")
    if kind and kind.startswith(("gevent", "eventlet")):
        text = f"workers of {kind} patch the standard library when they start, after telemetry has begun"
        yield Finding(_AREA, Severity.NOTE, text, "docs/app/run.md says how workers are treated")


def _uwsgi(words: Sequence[str], _environ: Mapping[str, str]) -> Iterator[Finding]:
    options = _uwsgi_options(words)
    if not options & {"enable-threads", "threads"}:
        text = "uwsgi runs no threads of Python unless told to, so nothing is sent before a worker ends"
        yield Finding(_AREA, Severity.PROBLEM, text, "uwsgi --enable-threads ...")
    if options & {"py-call-uwsgi-fork-hooks", "lazy", "lazy-apps"}:
        text = "each worker of uwsgi sends for itself"
        yield Finding(_AREA, Severity.OK, text)
    else:
        text = "uwsgi forks below Python: telemetry begins anew in each worker, other libraries are not told of it"
        yield Finding(_AREA, Severity.WARNING, text, "uwsgi --py-call-uwsgi-fork-hooks ..., or --lazy-apps")


def _uwsgi_options(words: Sequence[str]) -> set[str]:
    """Return the names of the options on the command line and in the ini files that it names."""
    found = {word.lstrip("-").partition("=")[0] for word in words if word.startswith("-")}
    for word in words:
        path = Path(word.partition("=")[2] or word)
        if path.suffix == ".ini" and path.is_file():
            lines = path.read_text(errors="replace").splitlines()
            switched = (line.partition("=") for line in lines if not line.lstrip().startswith((";", "#", "[")))
            found |= {name.strip() for name, _, value in switched if value.strip().lower() not in {"false", "0"}}
    return found


def _celery(words: Sequence[str], _environ: Mapping[str, str]) -> Iterator[Finding]:
    pool = _option(words, "-P", "--pool") or "prefork"
    if "worker" in words and pool in {"gevent", "eventlet"}:
        text = f"a pool of {pool} patches the standard library; telemetry begins anew after that"
        yield Finding(_AREA, Severity.NOTE, text, "docs/app/run.md says how workers are treated")


_CHECKS = {"gunicorn": (_gunicorn,), "uwsgi": (_uwsgi,), "celery": (_celery,)}


def _option(words: Sequence[str], *names: str) -> str:
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(words[at + 1 : at + 2])
    return ""


def _find(word: str) -> Path | None:
    """Find a program as `spanglass run` does; a script is run by this interpreter."""
    if word.endswith((".py", ".pyz")) or Path(word).is_dir() or word == "-m":
        return Path(sys.executable)
    found = shutil.which(word)
    beside = Path(sys.executable).parent / word
    return Path(found) if found else beside if os.access(beside, os.X_OK) else None


def _same_environment(interpreter: str) -> bool:
    """Return whether an interpreter is in this environment, where several names of it stand side by side."""
    return Path(interpreter).parent == Path(sys.executable).parent
