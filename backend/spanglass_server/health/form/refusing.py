"""Checks that only the settings file may hold: they would use what belongs to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.forms.problems import Problem
from spanglass_server.forms.secrets import SecretSource
from spanglass_server.health.check import Http

if TYPE_CHECKING:
    from spanglass_server.health.check import Check

#: Kinds that only the settings file may hold: they run programs, or log in to databases, as the server.
ONLY_IN_SETTINGS: Final = ("command", "sql")


def refused(check: Check) -> Problem | None:
    """Why a check may not be kept from pages: it would use what only the settings file may name."""
    hint = "write it in the settings file, below monitoring: checks:"
    if check.kind in ONLY_IN_SETTINGS:
        return Problem(f"checks of the kind {check.kind} stand in the settings file alone", check.kind, hint=hint)
    secrets = [getattr(check.options, "password", None)]
    if isinstance(check.options, Http):
        secrets += check.options.headers.values()
    if any(isinstance(each, SecretSource) for each in secrets):
        return Problem("checks with secrets stand in the settings file alone", f"{check.kind}.password", hint=hint)
    if getattr(check.options, "ca_file", ""):
        return Problem("files of the server are named in the settings file alone", f"{check.kind}.ca_file", hint=hint)
    return None
