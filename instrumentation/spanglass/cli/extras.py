"""Parts that an extra brings, and the error that names the extra when it is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from spanglass.cli.errors import CliError


def rich(module: str) -> Any:
    """Import a module of rich, ``rich("table")``; ``CliError`` names the extra to install."""
    try:
        return import_module(f"rich.{module}")
    except ModuleNotFoundError:
        raise missing("tables need rich", "cli", "or choose --format ndjson or --format csv") from None


def missing(what: str, extra: str, *details: str) -> CliError:
    """Make the error for a part that is not installed."""
    return CliError(what, f"install it: pip install 'spanglass[{extra}]'", *details)
