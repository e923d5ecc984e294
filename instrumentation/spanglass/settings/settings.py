"""An application's settings from their sources: defaults, then the environment, then options in code.

Everything goes through the table's types, so a value means the same in each source: ``in_progress_after="2s"`` in code
is ``SPANGLASS_IN_PROGRESS_AFTER=2s``. What is wrong is refused with the setting's name; secrets are never shown.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from spanglass.settings.intervals import read_intervals
from spanglass.settings.table import TABLE, Setting, Settings
from spanglass_core.settings_types import DURATION, HEADERS, SECRET, Secret, SettingsError, suggest
from spanglass_core.units import format_duration

__all__ = ["Settings", "SettingsError", "Sourced", "describe", "load", "unknown_variables"]

#: OpenTelemetry's variables that say the same in another form: how to write their value as ours.
_OTHER_FORMS = {
    "OTEL_SDK_DISABLED": lambda text: "false" if text.strip().lower() == "true" else "true",
    "OTEL_METRIC_EXPORT_INTERVAL": "{}ms".format,
    "OTEL_EXPORTER_OTLP_TIMEOUT": "{}s".format,
}

_DEFAULT = "default"

# Variables of ours that are no settings of an application: the server's and the command line's.
_OTHERS = (
    "SPANGLASS_AUTH_", "SPANGLASS_BENCH_", "SPANGLASS_CORS_", "SPANGLASS_DATA_", "SPANGLASS_INGEST_", "SPANGLASS_LOG_",
    "SPANGLASS_QUERY_", "SPANGLASS_READ_TOKEN", "SPANGLASS_REQUIRE_ALL", "SPANGLASS_RETENTION_", "SPANGLASS_RUN",
    "SPANGLASS_SERVER_", "SPANGLASS_STORAGE_", "SPANGLASS_STRICT", "SPANGLASS_TEST_", "SPANGLASS_URL",
)  # fmt: skip


class Sourced(NamedTuple):
    """A setting's value and where it came from: ``default``, ``environment variable X``, or ``configure()``."""

    row: Setting
    value: Any
    place: str

    @property
    def text(self) -> str:
        """The value as it would be written; secrets as ``***``."""
        return self.row.type.format(self.value)


def load(options: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Build the settings; ``options`` are those of ``configure``, where None stands for "not given".

    Raises ``SettingsError`` when a name is unknown, a value is ill-typed, or two contradict.
    """
    sourced = describe(options, environ)
    settings = Settings(**{each.row.attribute: each.value for each in sourced})
    _check(settings)
    return settings


def describe(options: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> list[Sourced]:
    """Every setting with its value and source, in the table's order. Raises as ``load`` does, for single values."""
    given = {name: value for name, value in (options or {}).items() if value is not None}
    for name in given:
        if name not in TABLE:
            raise SettingsError(f"configure(): unknown option {name!r}{suggest(name, TABLE)}")
    surroundings = os.environ if environ is None else environ
    return [_find(row, given, surroundings) for row in TABLE.values()]


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Say of each variable that begins as ours do and is none of them what may have been meant."""
    known = {variable for row in TABLE.values() for variable in row.variables}
    unknown = (name for name in environ if name.startswith("SPANGLASS_") and name not in known)
    return [f"unknown variable {name}{suggest(name, known)}" for name in unknown if not name.startswith(_OTHERS)]


def _find(row: Setting, options: Mapping[str, object], environ: Mapping[str, str]) -> Sourced:
    if row.name in options:
        return _parse(row, _text(row, options[row.name]), "configure()")
    for variable in row.variables:
        text = environ.get(variable, "").strip()  # an empty variable counts as absent
        if text:
            form = _OTHER_FORMS.get(variable)
            return _parse(row, form(text) if form else text, f"environment variable {variable}")
    return Sourced(row, row.default, _DEFAULT)


def _parse(row: Setting, text: str, place: str) -> Sourced:
    try:
        return Sourced(row, row.type.parse(text), place)
    except ValueError as error:
        shown = "" if row.type in {SECRET, HEADERS} else f" (got {text!r})"
        raise SettingsError(f"{place}: {row.name}: {error}{shown}") from None


def _text(row: Setting, value: object) -> str:
    """Write a value of Python as the text that the table's types read."""
    if row.type is DURATION and isinstance(value, (int, float)):
        raise SettingsError(
            f"configure(): {row.name}: a duration needs its unit: '{value}s', '{value}ms', or a timedelta"
        )
    if isinstance(value, dt.timedelta):
        return format_duration(round(value.total_seconds() * 1e9))
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return ",".join(f"{name}={quote(str(item))}" for name, item in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(str(item) for item in value)
    return str(value)


def _check(settings: Settings) -> None:
    """Refuse values that are of the right type and cannot work."""
    parts = urlsplit(settings.endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(
            f"endpoint: expected an address such as http://127.0.0.1:4318 or https://telemetry.example (got "
            f"{settings.endpoint!r})"
        )
    try:
        read_intervals(settings.collection_intervals)
    except ValueError as error:
        raise SettingsError(f"collection_intervals: {error}") from None
    if settings.metric_interval_ns <= 0:
        raise SettingsError("metric_interval: expected more than 0; to send no metrics set metrics to false")
