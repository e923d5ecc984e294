"""The YAML file of settings, as text values with their lines and columns.

Only PyYAML's node tree is used: no value is constructed, so no tag can make an object, and ``yes`` or ``12:30`` reach
the setting's own type as they were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from spanglass_core.settings_types import SettingsError, suggest
from spanglass_server.settings.monitoring import PARTS, SETTINGS
from spanglass_server.settings.table import GROUPS, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Parts of the file that are no settings of the table. Each is read, and checked, where it belongs.
MONITORING = "monitoring"
SCRAPE = "scrape"

# A file of settings has some 40 lines; past this something else was named by mistake.
_MAX_CHARACTERS = 1_000_000

_NULL_TAG = "tag:yaml.org,2002:null"


def read_file(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the dotted name, the text and the place (``file:line:column``) of each setting in a YAML file.

    Names are not checked against the table here. Raises ``SettingsError`` for a file that can't be read, is not YAML,
    is not a mapping of groups, or gives a setting twice.
    """
    root = compose_file(path)
    if root is None:  # an empty file sets nothing
        return
    seen: dict[str, str] = {}
    for name, text, place in _settings_of(path, root):
        if name in seen:
            raise SettingsError(f"{place}: {name} is given twice, first at {seen[name]}")
        seen[name] = place
        yield name, text, place


def _settings_of(path: Path, root: yaml.Node) -> Iterator[tuple[str, str, str]]:
    for group, group_place, body in entries(path, root, "groups of settings, such as `server:`"):
        if group == SCRAPE or _is_null(body):  # null: a group whose settings are all commented out
            continue
        if group == MONITORING:
            yield from _monitoring(path, body)
            continue
        if group not in GROUPS:
            known = (*GROUPS, MONITORING, SCRAPE)
            raise SettingsError(f"{group_place}: unknown group of settings {group!r}{suggest(group, known)}")
        for key, place, value in entries(path, body, f"settings of the group {group!r}"):
            yield f"{group}.{key}", _text(path, f"{group}.{key}", value), place


def _monitoring(path: Path, body: yaml.Node) -> Iterator[tuple[str, str, str]]:
    known = (*PARTS, *SETTINGS)
    for part, place, value in entries(path, body, f"{', '.join(known)} of the group 'monitoring'"):
        if part in SETTINGS:
            yield from _part(path, part, value)
        elif part not in PARTS:
            raise SettingsError(f"{place}: unknown part of monitoring {part!r}{suggest(part, known)}")


def _part(path: Path, part: str, body: yaml.Node) -> Iterator[tuple[str, str, str]]:
    """Settings that are written as requirements of users have them, see ``monitoring.py``."""
    if _is_null(body):
        return
    keys = SETTINGS[part]
    for key, place, value in entries(path, body, f"{', '.join(keys)} of monitoring.{part}"):
        if key not in keys:
            name = f"{part}.{key}"
            hint = f"; write {name} at the top level" if name in TABLE else suggest(key, keys)
            raise SettingsError(f"{place}: unknown key {key!r} of monitoring.{part}{hint}")
        text = _text(path, f"monitoring.{part}.{key}", value)
        if keys[key].setting:
            yield keys[key].setting, text + keys[key].unit, place
        elif text.lower() not in keys[key].fixed:
            raise SettingsError(f"{place}: monitoring.{part}.{key} can't be {text!r} here: {keys[key].instead}")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL_TAG


def compose_file(path: Path) -> yaml.Node | None:
    """The nodes of a YAML file, None for an empty one. Raises ``SettingsError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the settings file {path} can't be read: {reason}") from None
    if len(text) > _MAX_CHARACTERS:
        raise SettingsError(f"the settings file {path} is larger than a megabyte: is it the right file?")
    try:
        # compose() builds nodes only, whatever the loader
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{place}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid YAML: {type(error).__name__}") from None
    return node


def entries(path: Path, node: yaml.Node, expected: str) -> Iterator[tuple[str, str, yaml.Node]]:
    """Key, place and value of each entry of a mapping. Raises ``SettingsError``, saying what was ``expected``."""
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{place_of(path, node)}: expected {expected}")
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise SettingsError(f"{place_of(path, key)}: expected {expected}")
        yield key.value, place_of(path, key), value


def _text(path: Path, name: str, node: yaml.Node) -> str:
    """Return a scalar's text as written, or a sequence of scalars joined by commas."""
    if isinstance(node, yaml.SequenceNode):
        return ",".join(_text(path, name, item) for item in node.value)
    if isinstance(node, yaml.ScalarNode) and not _is_null(node):
        return str(node.value)
    raise SettingsError(f"{place_of(path, node)}: {name}: expected a value; leave the line out for the default")


def place_of(path: Path, node: yaml.Node) -> str:
    """Where a node stands: ``file:line:column``."""
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
