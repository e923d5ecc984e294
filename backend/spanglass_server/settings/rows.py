"""A row of the table of settings, as it is written and as it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from spanglass_core.settings_types import SettingType

T = TypeVar("T")

MIB = 1024**2
SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS


def row(default: T, kind: SettingType, help_text: str, *, env: str = "", flag: str = "") -> T:
    """One row of the table, as the default of a field; the annotation is T for the type checker."""
    made: T = field(default=default, metadata={"type": kind, "help": help_text, "env": env, "flag": flag})
    return made


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table, as documentation, command line and loaders see it."""

    name: str
    group: str
    attribute: str
    type: SettingType
    default: Any
    help: str
    env: str
    flag: str
