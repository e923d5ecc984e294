"""The settings in force, where each came from, and every one that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.settings.components import missing
from spanglass.settings.settings import Settings, SettingsError, Sourced, describe, load, unknown_variables
from spanglass.settings.table import TABLE
from spanglass_core.settings_types import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AREA = "settings"
_HINT = "docs/app/settings.md lists what each setting takes"


def read(environ: Mapping[str, str]) -> tuple[Settings, list[Sourced], list[Finding]]:
    """Read every setting by itself, so that all mistakes are found; a wrong one counts as left out."""
    sourced: list[Sourced] = []
    found: list[Finding] = []
    for row in TABLE.values():
        own = {name: environ[name] for name in row.variables if name in environ}
        try:
            every = describe({}, own)
        except SettingsError as error:
            found.append(Finding(_AREA, Severity.PROBLEM, str(error), _HINT))
            every = describe({}, {})
        sourced += [each for each in every if each.row.name == row.name]
    settings = Settings(**{each.row.attribute: each.value for each in sourced})
    return settings, sourced, [*found, *_whole(environ, alone_fine=not found), *_about(settings, sourced, environ)]


def shown(sourced: Sequence[Sourced]) -> list[dict[str, Any]]:
    """Give name, value and source of each setting; secrets as ``***``, and of headers the names alone."""
    return [{"name": each.row.name, "value": _value(each), "source": each.place} for each in sourced]


def _value(each: Sourced) -> str:
    if each.row.type is HEADERS:
        return ",".join(f"{name}=***" for name, _ in each.value)
    if each.value is None or each.value in ("", ()):
        return ""
    return each.text


def _whole(environ: Mapping[str, str], *, alone_fine: bool) -> list[Finding]:
    """Check what only shows in all settings together."""
    if not alone_fine:
        return []
    try:
        load({}, environ)
    except SettingsError as error:
        return [Finding(_AREA, Severity.PROBLEM, str(error), _HINT)]
    return []


def _about(settings: Settings, sourced: Sequence[Sourced], environ: Mapping[str, str]) -> list[Finding]:
    found = [Finding(_AREA, Severity.WARNING, text, _HINT) for text in unknown_variables(environ)]
    found += [Finding(_AREA, Severity.WARNING, each.problem, each.remedy) for each in missing(environ)]
    if not settings.enabled:
        name = next(each.place for each in sourced if each.row.name == "enabled").rpartition(" ")[2]
        found.append(Finding(_AREA, Severity.WARNING, f"telemetry is switched off by {name}", f"unset {name}"))
    off = [name for name in ("traces", "metrics", "logs") if not getattr(settings, name)]
    if off:
        variables = " ".join(TABLE[name].variables[0] for name in off)
        found.append(Finding(_AREA, Severity.NOTE, f"not sent: {', '.join(off)}", f"unset {variables}"))
    if environ.get("OTEL_CONFIG_FILE"):
        text = "OTEL_CONFIG_FILE replaces most settings under opentelemetry-instrument"
        found.append(Finding(_AREA, Severity.NOTE, text))
    given = [each for each in sourced if each.place != "default"]
    text = f"{len(given)} of {len(sourced)} settings are given, the others have their defaults"
    return [Finding(_AREA, Severity.OK, f"{text}; options of configure() in code are not seen from here"), *found]
