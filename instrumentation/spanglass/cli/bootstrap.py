"""``spanglass bootstrap``: install the instrumentations of the libraries that are installed."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from spanglass.cli.diagnosis.missing import Missing, missing, of_any_version, of_this_version, unfit
from spanglass.cli.errors import CliError, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = """examples:
  spanglass bootstrap --dry-run
  spanglass bootstrap --yes
  spanglass bootstrap --requirements >> requirements.txt

Run it in the application's environment. spanglass doctor shows what is instrumented afterwards."""


def command(argv: Sequence[str]) -> int:
    """Show what is missing and install it, after a question on a terminal; elsewhere ``--yes`` is needed."""
    arguments = _parser().parse_args(argv)
    found = missing()
    if arguments.requirements:
        print("".join(f"{name}\n" for name in of_any_version(found)), end="")
        return Exit.OK
    for each in unfit():
        print(f"Not to be had: {each.conflict}. To see it: pip install '{each.library}{each.wanted}'")
    if not found:
        print("Every library that an instrumentation takes has it.")
        return Exit.OK
    _show(found)
    words = _installer()
    words += of_this_version(found) if _can_install([*words, *of_this_version(found)]) else of_any_version(found)
    print(f"\n{shlex.join(words)}")
    if arguments.dry_run:
        return Exit.OK
    if not arguments.yes and not _agreed():
        print("Nothing was installed.")
        return Exit.OK
    return _install(words)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="spanglass bootstrap",
        description="Install the instrumentation of each installed library that lacks it, in this environment.",
        allow_abbrev=False,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would be installed, and how")
    how.add_argument("--requirements", action="store_true", help="print lines for a requirements file instead")
    how.add_argument("--yes", action="store_true", help="install without asking")
    return made


def _show(found: Sequence[Missing]) -> None:
    rows = [(f"{each.library} {each.library_version}".strip(), each.package) for each in found]
    width = max(len(library) for library, _ in rows)
    for library, package in rows:
        print(f"  {library:<{width}}  {package}")


def _installer() -> list[str]:
    """Return the command that installs into this interpreter's environment: pip, or uv where there is no pip."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise CliError(
        f"there is neither pip in {sys.prefix} nor uv on PATH",
        f"install pip: {sys.executable} -m ensurepip",
        "or print the list for another tool: spanglass bootstrap --requirements",
    )


def _can_install(words: Sequence[str]) -> bool:
    """Whether all of it was released; nothing is installed."""
    tried = subprocess.run([*words, "--dry-run", "--quiet"], check=False, capture_output=True)  # noqa: S603 - pip or uv
    return tried.returncode == 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise CliError("standard input is no terminal to ask on", "install without asking: spanglass bootstrap --yes")
    print("Install? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _install(words: list[str]) -> int:
    sys.stdout.flush()
    ended = subprocess.run(words, check=False)  # noqa: S603 - the command that was shown
    if ended.returncode != 0:
        raise CliError(
            f"nothing, or not everything, was installed: {words[0]} ended with exit code {ended.returncode}",
            "its own words are above; the same list for another tool: spanglass bootstrap --requirements",
        )
    print("Done: spanglass doctor shows what is instrumented now.")
    return Exit.OK
