"""Rules of grouping: which exceptions they match, and what they do to the fingerprint.

Pure: a rule is made from what the API takes (``Rule.read``) and matched against a report and its frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_core.grouping.exception import ExceptionReport
    from spanglass_core.stacks.model import Frame, Raised

#: What a rule can compare besides attributes; the last three are compared with each frame.
_OF_REPORT = ("type", "message")
_OF_FRAMES = ("function", "module", "path")
_MAX_PATTERN = 500
_MAX_COMPARED = 4096


@dataclass(frozen=True, slots=True)
class Match:
    """The patterns that must all fit; ``*``, ``?`` and ``[...]`` as in file names. Empty: anything."""

    type: str = ""
    message: str = ""
    function: str = ""
    module: str = ""
    path: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; exactly one of ``join``, ``split_by`` and ``in_app`` says what it does.

    ``service`` is empty for all services.
    """

    id: str
    match: Match
    service: str = ""
    join: str = ""
    split_by: tuple[str, ...] = ()
    in_app: bool | None = None

    @staticmethod
    def read(given: Mapping[str, Any]) -> Rule:
        """Return a rule from its JSON form; raises ValueError that names the field and says what it takes."""
        match = _match(given.get("match"))
        action = given.get("action")
        if not isinstance(action, dict) or len(action) != 1:
            raise ValueError(
                'action: pass exactly one of {"join": name}, {"split_by": [keys]}, {"in_app": true or false}'
            )
        rule = Rule(_text(given, "id"), match, _text(given, "service"))
        ((verb, value),) = action.items()
        if verb == "join" and isinstance(value, str) and value.strip():
            return replace(rule, join=value.strip())
        if verb == "split_by" and _is_keys(value):
            return replace(rule, split_by=tuple(value))
        if verb == "in_app" and isinstance(value, bool):
            if not any(getattr(match, name) for name in _OF_FRAMES):
                raise ValueError("match: an in_app rule needs a pattern for function, module or path")
            return replace(rule, in_app=value)
        raise ValueError(f"action.{verb}: join takes a name, split_by a list of attribute keys, in_app true or false")

    def as_json(self) -> dict[str, Any]:
        """Return the form that ``read`` takes."""
        patterns = {name: getattr(self.match, name) for name in (*_OF_REPORT, *_OF_FRAMES) if getattr(self.match, name)}
        match = {**patterns, **({"attributes": dict(self.match.attributes)} if self.match.attributes else {})}
        action: dict[str, Any] = {"in_app": self.in_app}
        if self.join:
            action = {"join": self.join}
        elif self.split_by:
            action = {"split_by": list(self.split_by)}
        return {"id": self.id, "service": self.service, "match": match, "action": action}


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, in the order in which they are tried."""

    rules: tuple[Rule, ...] = ()

    @property
    def attribute_keys(self) -> frozenset[str]:
        """The attributes that a report must have for the rules to be decided."""
        keys: set[str] = set()
        for rule in self.rules:
            keys.update(rule.match.attributes, rule.split_by)
        return frozenset(keys)

    def with_in_app(self, report: ExceptionReport, chain: tuple[Raised, ...]) -> tuple[Raised, ...]:
        """Return the exceptions with frames marked as the rules say; of several that match, the last one decides."""
        marking = [rule for rule in self.rules if rule.in_app is not None and _of_report(rule, report, chain)]
        if not marking:
            return chain
        return tuple(
            replace(raised, frames=tuple(_marked(frame, marking) for frame in raised.frames)) for raised in chain
        )

    def joined(self, report: ExceptionReport, chain: tuple[Raised, ...]) -> Rule | None:
        """Return the first rule that joins what it matches and matches this."""
        return next((rule for rule in self.rules if rule.join and _matches(rule, report, chain)), None)

    def splits(self, report: ExceptionReport, chain: tuple[Raised, ...]) -> list[tuple[str, str]]:
        """Return the attributes, with their values, by which what this is equal to is told apart."""
        keys = dict.fromkeys(
            key for rule in self.rules if rule.split_by and _matches(rule, report, chain) for key in rule.split_by
        )
        return [(key, report.attributes.get(key, "")) for key in keys]


NO_RULES = Rules()


def _matches(rule: Rule, report: ExceptionReport, chain: Sequence[Raised]) -> bool:
    if not _of_report(rule, report, chain):
        return False
    if not any(getattr(rule.match, name) for name in _OF_FRAMES):
        return True
    return any(_fits_frame(rule.match, frame) for raised in chain for frame in raised.frames)


def _of_report(rule: Rule, report: ExceptionReport, chain: Sequence[Raised]) -> bool:
    match = rule.match
    if rule.service and rule.service != report.service:
        return False
    if match.type and not any(_fits(match.type, kind) for kind in (report.type, chain[0].type)):
        return False
    if match.message and not any(_fits(match.message, text) for text in (report.message, chain[0].message)):
        return False
    return all(_fits(pattern, report.attributes.get(key, "")) for key, pattern in match.attributes.items())


def _fits_frame(match: Match, frame: Frame) -> bool:
    return (
        (not match.function or _fits(match.function, frame.function))
        and (not match.module or _fits(match.module, frame.module))
        and (not match.path or _fits(match.path, frame.file.replace("\\", "/")))
    )


def _marked(frame: Frame, marking: Sequence[Rule]) -> Frame:
    for rule in reversed(marking):
        if _fits_frame(rule.match, frame):
            return frame if frame.in_app is rule.in_app else replace(frame, in_app=rule.in_app is True)
    return frame


def _fits(pattern: str, text: str) -> bool:
    return _compiled(pattern).match(text[:_MAX_COMPARED]) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def _match(given: Any) -> Match:
    names = (*_OF_REPORT, *_OF_FRAMES)
    if not isinstance(given, dict) or not given:
        raise ValueError(f"match: pass patterns for any of {', '.join(names)}, attributes")
    unknown = set(given) - {*names, "attributes"}
    if unknown:
        raise ValueError(f"match.{min(unknown, key=str)}: unknown; it takes {', '.join(names)}, attributes")
    attributes = given.get("attributes", {})
    if not isinstance(attributes, dict) or not all(_is_pattern(part) for pair in attributes.items() for part in pair):
        raise ValueError("match.attributes: pass an object of attribute keys and patterns, both texts")
    for name in names:
        if name in given and not _is_pattern(given[name]):
            raise ValueError(f"match.{name}: pass a pattern of 1 to {_MAX_PATTERN} characters")
    return Match(**{name: given[name] for name in names if name in given}, attributes=dict(attributes))


def _is_pattern(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_PATTERN


def _is_keys(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_pattern(key) for key in value)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name}: pass a text")  # noqa: TRY004 - a wrong field of a request, as the others
    return value
