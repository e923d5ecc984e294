"""The part ``scrape:`` of the settings file as jobs; an error names the file, the line, the key and what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from spanglass_core.settings_types import BOOL, BYTES, DURATION, PATH, SettingsError, choice, suggest
from spanglass_server.scraping.jobs import Job, Rule
from spanglass_server.settings.file import SCRAPE, compose_file, entries, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TARGET: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+)(:\d{1,5})?")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_ACTIONS: Final = {
    "keep": {"action", "label", "regex"},
    "drop": {"action", "label", "regex"},
    "rename": {"action", "label", "to"},
    "remove": {"action", "label"},
}
_NAME: Final = "__name__"
_DEFAULT_TIMEOUT_S: Final = 10.0
_LEAST_INTERVAL_S: Final = 0.1


def read_jobs(path: Path | None) -> tuple[Job, ...]:
    """The jobs of a settings file; none without one. Raises ``SettingsError``."""
    root = None if path is None else compose_file(path)
    if path is None or root is None:
        return ()
    jobs: dict[str, Job] = {}
    for group, _, body in entries(path, root, "groups of settings, such as `server:`"):
        if group != SCRAPE:
            continue
        for number, node in enumerate(_items(path, body, SCRAPE)):
            job = _Reader(path, f"{SCRAPE}[{number}]").job(node)
            if job.job in jobs:
                raise SettingsError(
                    f"{place_of(path, node)}: {SCRAPE}[{number}].job: there is a job {job.job!r} already; "
                    "give this one another name, or its targets to that one"
                )
            jobs[job.job] = job
    return tuple(jobs.values())


def _items(path: Path, node: yaml.Node, name: str) -> list[yaml.Node]:
    """The items of a list; an absent one is empty."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise SettingsError(f"{place_of(path, node)}: {name}: expected a list, with a - before each item")
    return list(node.value)


class _Reader:
    """Reads one job; ``name`` is where it stands."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    def job(self, node: yaml.Node) -> Job:
        """Read the job of a mapping."""
        readers: dict[str, Callable[[yaml.Node, str], Any]] = {
            "job": self._text,
            "targets": self._targets,
            "interval": self._duration_s,
            "timeout": self._duration_s,
            "path": self._url_path,
            "scheme": lambda node, name: self._parsed(node, name, choice("http", "https").parse),
            "headers": self._texts,
            "bearer_token_file": lambda node, name: self._parsed(node, name, PATH.parse),
            "ca_file": lambda node, name: self._parsed(node, name, PATH.parse),
            "labels": self._labels,
            "honor_labels": lambda node, name: self._parsed(node, name, BOOL.parse),
            "relabel": self._rules,
            "max_body": lambda node, name: self._parsed(node, name, BYTES.parse),
        }
        given = self._read(node, self._name, readers)
        for name in ("job", "targets"):
            if name not in given:
                raise self._error(node, f"{self._name}.{name}", "it is missing: say what is scraped, and by which name")
        return self._checked(node, given)

    def _checked(self, node: yaml.Node, given: dict[str, Any]) -> Job:
        renamed = {"interval": "interval_s", "timeout": "timeout_s", "max_body": "max_body_bytes"}
        fields = {renamed.get(name, name): value for name, value in given.items()}
        interval_s = fields.get("interval_s", Job.__dataclass_fields__["interval_s"].default)
        timeout_s = fields.setdefault("timeout_s", min(_DEFAULT_TIMEOUT_S, interval_s))
        if interval_s < _LEAST_INTERVAL_S:
            raise self._error(node, f"{self._name}.interval", "must be 0.1 s at least")
        if not 0 < timeout_s <= interval_s:
            raise self._error(
                node, f"{self._name}.timeout", f"must be more than 0 and at most the interval, {interval_s:g} s"
            )
        return Job(**fields)

    def _read(self, node: yaml.Node, name: str, readers: dict[str, Callable[[yaml.Node, str], Any]]) -> dict[str, Any]:
        """Read the entries of a mapping, each by its key's reader."""
        found: dict[str, Any] = {}
        for key, place, value in entries(self._path, node, f"the keys of {name}: {', '.join(readers)}"):
            if key not in readers:
                raise SettingsError(f"{place}: {name}: unknown key {key!r}{suggest(key, readers)}")
            if key in found:
                raise SettingsError(f"{place}: {name}.{key} is given twice")
            found[key] = readers[key](value, f"{name}.{key}")
        return found

    def _error(self, node: yaml.Node, name: str, reason: str) -> SettingsError:
        return SettingsError(f"{place_of(self._path, node)}: {name}: {reason}")

    def _text(self, node: yaml.Node, name: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self._error(node, name, "expected a text")
        return str(node.value)

    def _parsed(self, node: yaml.Node, name: str, parse: Callable[[str], Any]) -> Any:
        text = self._text(node, name)
        try:
            return parse(text)
        except (ValueError, re.error) as error:
            raise self._error(node, name, f"{error} (got {text!r})") from None

    def _duration_s(self, node: yaml.Node, name: str) -> float:
        return float(self._parsed(node, name, DURATION.parse) / 1e9)

    def _url_path(self, node: yaml.Node, name: str) -> str:
        text = self._text(node, name)
        if not text.startswith("/"):
            raise self._error(node, name, f"must begin with / (got {text!r})")
        return text

    def _targets(self, node: yaml.Node, name: str) -> tuple[str, ...]:
        targets = [self._text(item, name) for item in _items(self._path, node, name)]
        for target in targets:
            if not _TARGET.fullmatch(target):
                hint = "scheme and path are keys beside targets" if "/" in target else "for example 10.0.0.5:9100"
                raise self._error(node, name, f"expected host:port, got {target!r}; {hint}")
        return tuple(dict.fromkeys(targets))

    def _pairs(self, node: yaml.Node, name: str) -> Iterator[tuple[str, str, str]]:
        for key, place, value in entries(self._path, node, f"names and values of {name}"):
            yield key, place, self._text(value, f"{name}.{key}")

    def _texts(self, node: yaml.Node, name: str) -> dict[str, str]:
        return {key: value for key, _, value in self._pairs(node, name)}

    def _labels(self, node: yaml.Node, name: str) -> dict[str, str]:
        found = {}
        for key, place, value in self._pairs(node, name):
            if not _LABEL.fullmatch(key):
                raise SettingsError(f"{place}: {name}: {key!r} is no name of a label: letters, digits and _")
            found[key] = value
        return found

    def _rules(self, node: yaml.Node, name: str) -> tuple[Rule, ...]:
        return tuple(
            self._rule(item, f"{name}[{number}]") for number, item in enumerate(_items(self._path, node, name))
        )

    def _rule(self, node: yaml.Node, name: str) -> Rule:
        given = self._read(
            node,
            name,
            {
                "action": lambda value, key: self._parsed(value, key, choice(*_ACTIONS).parse),
                "label": self._text,
                "regex": lambda value, key: self._parsed(value, key, re.compile),
                "to": self._text,
            },
        )
        action = given.get("action")
        if action is None:
            raise self._error(node, f"{name}.action", f"it is missing: one of {', '.join(_ACTIONS)}")
        if action in ("keep", "drop"):
            given.setdefault("label", _NAME)
        wanted = _ACTIONS[action]
        if set(given) != wanted:
            raise self._error(node, name, f"{action} has the keys {', '.join(sorted(wanted))}")
        return Rule(**given)
