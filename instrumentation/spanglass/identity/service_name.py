"""What a program is called when nobody named it: from its command line, for ``unknown_service`` is no help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Interpreter options that take the next word as their value.
_WITH_VALUE = {"-W", "-X", "--check-hash-based-pycs"}

# Names that say nothing: the folder around them says more.
_GENERIC = {"__main__", "app", "application", "asgi", "main", "manage", "run", "server", "service", "start", "wsgi"}

# Servers and runners of somebody else's application, and the option that names it; "" is a word of its own:
# `module:attribute`, or `package.module` as Django's users write it.
_RUNNERS = {
    "celery": ("-A", "--app"),
    "daphne": ("",),
    "fastapi": ("",),
    "flask": ("-A", "--app"),
    "granian": ("",),
    "gunicorn": ("",),
    "hypercorn": ("",),
    "uvicorn": ("",),
}

# Runners that find the application in the folder if nothing names it, as `flask run` and `fastapi dev` do.
_FINDERS = {"fastapi", "flask"}

# Programs in which somebody types: what they type about is in the folder.
_SHELLS = {"ipykernel", "ipykernel_launcher", "ipython", "jupyter"}

# Options whose next word is an address or a file with a colon, and options without a value.
_NOT_BEFORE_TARGET = {"-b", "--bind", "--uds", "--fd", "-c", "--config"}
_FLAGS = {"-D", "--daemon", "--factory", "--no-access-log", "--preload", "--reload"}
_SUBCOMMANDS = {"dev", "run"}


def service_name(arguments: Sequence[str], folder: Path) -> str:
    """Name what ``arguments`` (``sys.orig_argv``: the interpreter first) run in ``folder``; "python" if nothing.

    ``python shop/app.py`` is shop, ``python -m billing.worker`` is billing.worker, ``gunicorn pay.web:app`` is pay.web.
    """
    words = _without_interpreter(list(arguments))
    if not words:
        return "python"
    if words[0] == "-m":
        module, rest = (words[1:2] or [""])[0], words[2:]
    else:
        module, rest = "", words[1:]
    runner = module or Path(words[0]).name
    if runner in _RUNNERS:
        found = _of_target(_target(rest, _RUNNERS[runner]), folder)
        return found or (folder.name if runner in _FINDERS else "") or runner
    if runner in _SHELLS:
        return folder.name or runner
    if module:
        return _of_target(module, folder) or module
    if words[0] == "-c":
        return folder.name or "python"
    script = Path(words[0])
    return _specific(script.stem, (folder / script).resolve().parent.name)


def _without_interpreter(words: list[str]) -> list[str]:
    """Leave what the interpreter runs: ``-m module ...``, ``-c ...`` or ``script ...``."""
    rest = words[1:]
    while rest and rest[0].startswith("-") and rest[0] not in {"-m", "-c"}:
        rest = rest[2 if rest[0] in _WITH_VALUE else 1 :]
    return rest


def _target(words: Sequence[str], options: Sequence[str]) -> str:
    """Find what a runner was told to run."""
    for at, word in enumerate(words):
        name, _, value = word.partition("=")
        if name in options:
            return value or "".join(words[at + 1 : at + 2])
    if "" not in options:
        return ""
    with_attribute = [word for before, word in _alone(words, _NOT_BEFORE_TARGET) if ":" in word and "//" not in word]
    modules = [
        word
        for before, word in _alone(words, _NOT_BEFORE_TARGET)
        if _is_module(word) and (not before.startswith("-") or "=" in before or before in _FLAGS)
    ]
    return (with_attribute + modules + [""])[0]


def _alone(words: Sequence[str], not_after: set[str]) -> list[tuple[str, str]]:
    """Pair each word that may be an application with the one before it."""
    pairs = zip(["", *words], words, strict=False)
    return [(before, word) for before, word in pairs if not word.startswith(("-", "/")) and before not in not_after]


def _is_module(word: str) -> bool:
    """Tell ``mysite.wsgi`` and ``shop/main.py`` from values and subcommands."""
    parts = word.removesuffix(".py").replace("/", ".").split(".")
    return word not in _SUBCOMMANDS and all(part.isidentifier() for part in parts)


def _of_target(target: str, folder: Path) -> str:
    """Give ``shop.web`` for ``shop.web:app`` and ``shop`` for ``shop.main:app``."""
    module = target.partition(":")[0].strip().removesuffix(".py").replace("/", ".").strip(".")
    parts = module.split(".")
    while len(parts) > 1 and parts[-1] in _GENERIC:
        parts.pop()
    return _specific(".".join(parts), folder.name) if module else ""


def _specific(name: str, around: str) -> str:
    return around if name in _GENERIC and around else name
