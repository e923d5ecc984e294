"""Settings from their sources: defaults, then the YAML file, the environment, and the command line, each over the last.

Every source gives text, and the table's types read it, so a value is written the same way everywhere. The result is
one frozen ``Settings``. What is wrong is refused with its place and a suggestion; values of secrets are never shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spanglass_core.settings_types import SECRET, Secret, SettingsError, suggest
from spanglass_server.settings.file import read_file
from spanglass_server.settings.table import GROUPS, TABLE, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spanglass_server.settings.rows import Setting

__all__ = ["Secret", "Settings", "SettingsError", "describe", "load", "parse_assignments"]

_BY_ENV = {row.env: row for row in TABLE.values()}
_ENV_PREFIXES = tuple(f"SPANGLASS_{group.upper()}_" for group in GROUPS)
# Kubernetes puts such variables for a service named like ours into every container; they are not meant for us.
_SERVICE_LINK = re.compile(r"_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_\w+)$")
_LONGEST_LINKS_NS = 30 * 86_400 * 10**9


def load(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None, overrides: Mapping[str, str] | None = None
) -> Settings:
    """Build the settings of a server; ``overrides`` (by dotted name) come from the command line.

    Raises ``SettingsError`` when the file can't be read, a name is unknown, a value is ill-typed or two contradict.
    """
    values: dict[str, Any] = {}
    if file is not None:
        for name, text, place in read_file(file):
            values[name] = _parse(name, text, place)
    for name, text, place in _from_environment(environ or {}):
        values[name] = _parse(name, text, place)
    for name, text in (overrides or {}).items():
        values[name] = _parse(name, text, "command line")
    settings = _build(values, file)
    _check(settings)
    return settings


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Read ``name=value`` texts of the command line's ``--set``."""
    overrides = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(f"command line: --set takes name=value (--set retention.traces=7d), not {name!r}")
        overrides[name.strip()] = text
    return overrides


def describe(settings: Settings) -> list[tuple[Setting, str]]:
    """Every row of the table with the value in force, as text; secrets are ``***``."""
    return [(row, row.type.format(getattr(getattr(settings, row.group), row.attribute))) for row in TABLE.values()]


def _from_environment(environ: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Name, text and place of each setting in the environment; an empty variable counts as absent."""
    for variable, text in environ.items():
        row = _BY_ENV.get(variable)
        if row is not None and text:
            yield row.name, text, f"environment variable {variable}"
        elif row is None and variable.startswith(_ENV_PREFIXES) and not _SERVICE_LINK.search(variable):
            raise SettingsError(f"environment: unknown variable {variable}{suggest(variable, _BY_ENV)}")


def _parse(name: str, text: str, place: str) -> Any:
    row = TABLE.get(name)
    if row is None:
        raise SettingsError(f"{place}: unknown setting {name!r}{suggest(name, TABLE)}")
    try:
        return row.type.parse(text)
    except ValueError as error:
        shown = "" if row.type is SECRET else f" (got {text!r})"
        raise SettingsError(f"{place}: {name}: {error}{shown}") from None


def _build(values: Mapping[str, Any], file: Path | None) -> Settings:
    groups: dict[str, Any] = {}
    for group, owner in GROUPS.items():
        given = {row.attribute: values[row.name] for row in TABLE.values() if row.group == group and row.name in values}
        groups[group] = owner(**given)
    return Settings(**groups, file=file)


def _check(settings: Settings) -> None:
    """Refuse values that are each fine and together are not."""
    ingest = settings.ingest
    for name in ("max_body_bytes", "max_grpc_message_bytes"):
        if getattr(ingest, name) > ingest.max_inflight_bytes:
            raise SettingsError(
                f"ingest.{name} is larger than ingest.max_inflight_bytes, so such a request could never be taken: "
                f"raise ingest.max_inflight_bytes or lower ingest.{name}"
            )
    if settings.server.port == settings.server.grpc_port != 0:
        raise SettingsError("server.port and server.grpc_port are the same: give one of them another port")
    if settings.notifications.link_lifetime_ns > _LONGEST_LINKS_NS:  # it is remembered for 40 days that one was used
        raise SettingsError("notifications.link_lifetime is longer than 30 days: links in messages would not work once")
    auth = settings.auth
    for name in ("ingest_token", "read_token"):
        if getattr(auth, name) and getattr(auth, f"{name}_file") is not None:
            raise SettingsError(f"auth.{name} and auth.{name}_file are both set: keep one of them")
