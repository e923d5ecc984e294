"""``spanglass run``: start an unmodified program with its telemetry on."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from spanglass.cli.errors import CliError, Exit
from spanglass.cli.programs import deaf, deafness, split
from spanglass.identity.service_name import service_name
from spanglass.settings.components import missing
from spanglass.settings.settings import SettingsError, load, unknown_variables
from spanglass.settings.table import TABLE
from spanglass.start.autostart import environment
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.settings.settings import Settings

_EXAMPLES = """examples:
  spanglass run app.py --port 8000
  spanglass run -m billing.worker --queue fast
  spanglass run gunicorn --workers 4 shop.web:app
  spanglass run --service-name shop --environment staging uvicorn shop.web:app --reload
  spanglass run --open app.py

Everything before the program is an option of Spanglass, everything after it is the program's own; `--` may stand
between them.
docs/app/settings.md lists the settings, docs/app/run.md tells how children and workers are treated."""

# Settings that have an option of their own; the others go with --set.
_OPTIONS = ("service_name", "environment", "release", "endpoint", "token", "sample_ratio", "console")

_WITH_VALUE = {"--set", *(f"--{name.replace('_', '-')}" for name in _OPTIONS)}


def command(argv: Sequence[str]) -> int:
    """Replace this process by the program; returns only with ``--open``, its exit code, or when it can't be run."""
    own, module, words = split(argv, _WITH_VALUE)
    arguments = _parser().parse_args(own)
    if not module and not words:
        raise CliError("no program to run", "for example: spanglass run app.py", code=Exit.USAGE)
    if arguments.keep_server and not arguments.open:
        raise CliError("--keep-server is about the server that --open starts", "add --open", code=Exit.USAGE)
    environ = dict(os.environ) | _given(arguments)
    try:
        settings = load({}, environ)
    except SettingsError as error:
        raise CliError(str(error), "docs/app/settings.md lists the settings", code=Exit.USAGE) from None
    for problem in [*unknown_variables(environ), *missing(environ)]:
        print(f"spanglass run: warning: {problem}", file=sys.stderr)
    program = _program(module, words)
    if option := deafness(Path(program[0]), program[1:]):
        problem, remedy = deaf(option, terminal_text(Path(program[0]).name))
        print(f"spanglass run: warning: {problem}\n  {remedy}", file=sys.stderr)
    sys.stdout.flush()
    made = environment(environ, service_name(_as_interpreter(program), Path.cwd()))
    if arguments.open:
        return _open(program, made, settings, keep_server=arguments.keep_server)
    return _replace(program, made)


def _replace(program: list[str], environ: dict[str, str]) -> int:
    os.execve(program[0], program, environ)  # noqa: S606 - running programs is what it is for


def _open(program: list[str], environ: dict[str, str], settings: Settings, *, keep_server: bool) -> int:
    """Run the program beside a server, and open the page of its first request."""
    from spanglass.cli.opening.opening import Opened, run  # noqa: PLC0415 - a plain `run` does without

    url = os.environ.get("SPANGLASS_URL") or settings.endpoint
    if settings.protocol == "grpc" and not os.environ.get("SPANGLASS_URL"):
        hint = "say where the pages are: SPANGLASS_URL=http://127.0.0.1:4318"
        raise CliError(f"--open: {settings.endpoint} takes gRPC and has no pages", hint, code=Exit.USAGE)
    name = settings.service_name or environ.get("SPANGLASS_SERVICE_NAME") or _stated_name(environ)
    return run(Opened(program, environ, name, url.rstrip("/"), keep_server), dict(os.environ))


def _stated_name(environ: dict[str, str]) -> str:
    """Return the service's name in OTEL_RESOURCE_ATTRIBUTES, empty if it says none."""
    pairs = (pair.partition("=") for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    return next((unquote(text.strip()) for name, _, text in pairs if name.strip() == "service.name"), "")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="spanglass run",
        usage="spanglass run [OPTIONS] [--] (SCRIPT.py | -m MODULE | PROGRAM) [ARGUMENTS]",
        description="Run a program with traces, metrics and logs on, without a change to it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name in _OPTIONS:
        made.add_argument(f"--{name.replace('_', '-')}", metavar=name.upper(), help=TABLE[name].help.replace("%", "%%"))
    made.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting; may be repeated"
    )
    made.add_argument("-m", metavar="MODULE", help="run a module, as python -m does")
    made.add_argument(
        "--open",
        action="store_true",
        help="open the page of the first request; starts a server on this machine if none answers, and stops it after",
    )
    made.add_argument("--keep-server", action="store_true", help="the server that --open started goes on until Ctrl-C")
    return made


def _given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the options as variables, which the program's children inherit."""
    given = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name) is not None}
    for assignment in arguments.set:
        name, equals, text = assignment.partition("=")
        if not equals or name not in TABLE:
            known = "docs/app/settings.md lists the settings"
            raise CliError(
                f"--set takes NAME=VALUE with the name of a setting, not {assignment!r}", known, code=Exit.USAGE
            )
        given[name] = text
    return {TABLE[name].variables[0]: text for name, text in given.items()}


def _program(module: str, words: list[str]) -> list[str]:
    """Return the words to execute, the first an absolute path."""
    if module:
        return [sys.executable, "-m", module, *words]
    first = words[0]
    if first.endswith((".py", ".pyz")) or Path(first).is_dir():
        if not Path(first).exists():
            raise CliError(
                f"there is no file {terminal_text(first)!r}", "name a script in this folder", code=Exit.USAGE
            )
        return [sys.executable, *words]
    beside = Path(sys.executable).parent / first  # a program of this environment that is not activated
    found = shutil.which(first) or (str(beside) if os.access(beside, os.X_OK) and os.sep not in first else None)
    if found is None:
        hint = f"install it in this environment, or name a script: {terminal_text(first)}.py"
        raise CliError(f"there is no program {terminal_text(first)!r}", hint, code=Exit.USAGE)
    return [os.path.abspath(found), *words[1:]]  # noqa: PTH100 - links to the environment's python must stay


def _as_interpreter(program: list[str]) -> list[str]:
    """Return the words as the interpreter will see them."""
    return program if Path(program[0]).name.startswith("python") else [sys.executable, *program]
