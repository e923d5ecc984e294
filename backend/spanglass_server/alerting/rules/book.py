"""All rules of a server, whatever source they come from, with what is tuned of them."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import Found, RuleChange, Threshold
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.forms.book import hidden
from spanglass_server.forms.errors import ConflictError, ElsewhereError
from spanglass_server.forms.files import Contents
from spanglass_server.forms.problems import Problem
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Origin
    from spanglass_server.alerting.ports import KeptThreshold
    from spanglass_server.alerting.rules.prometheus.model import RecordingGroup
    from spanglass_server.alerting.rules.sources.files import RuleSource, Standing
    from spanglass_server.alerting.rules.sources.kept import KeptRules
    from spanglass_server.alerting.rules.sources.tuning import Tuning

_LOG = logging.getLogger(__name__)

#: What comes first here counts where two rules have the same uid.
ORIGINS: tuple[Origin, ...] = ("settings", "files", "kept", "slos", "shipped")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What rules get that don't say: channels, and whether shipped ones are on."""

    channels: tuple[str, ...] = ()
    shipped: bool = True


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the sources hold at one moment."""

    contents: tuple[Contents[Standing], ...]
    thresholds: Mapping[str, KeptThreshold]
    rules: Mapping[str, Found]
    recordings: tuple[RecordingGroup, ...]
    problems: tuple[Problem, ...]


class Book:
    """The ``RuleBook`` over sources. Files that become broken are logged once."""

    def __init__(
        self, sources: Sequence[RuleSource], kept: KeptRules, tuning: Tuning, defaults: Defaults | None = None
    ) -> None:
        self._sources: list[RuleSource] = sorted([*sources, kept], key=lambda source: ORIGINS.index(source.origin))
        self._kept = kept
        self._tuning = tuning
        self._defaults = defaults or Defaults()
        self._lock = threading.RLock()
        self._shelf = _Shelf((), {}, {}, (), ())
        self._logged: frozenset[str] = frozenset()
        self._good: list[Contents[Standing]] = [Contents()] * len(self._sources)  # as each was read last
        self._failing: dict[int, str] = {}  # what was logged of sources that fail

    def rules(self) -> Mapping[str, Found]:
        """See ``RuleBook``. The same object as long as nothing changed."""
        return self._look().rules

    def recordings(self) -> Sequence[RecordingGroup]:
        """The recording rules of Prometheus' files, by group."""
        return self._look().recordings

    def problems(self) -> Sequence[str]:
        """See ``RuleBook``."""
        return [str(problem) for problem in self._look().problems]

    def put(self, rule: Rule, version: str, by: str, now_ns: int) -> Found:
        """See ``RuleBook``."""
        with self._lock:
            standing = self.rules().get(rule.uid)
            if standing is not None and standing.origin in {"settings", "files", "slos"}:
                raise _elsewhere(standing)
            if standing is not None and standing.origin == "shipped":
                if version != standing.version:
                    raise ConflictError(f"the rule {rule.uid!r}", standing.version)
                self._kept.put(rule, "")
            else:
                self._kept.put(rule, version)
            before = RULES.to_yaml([standing.written]) if standing is not None else ""
            kind = "created" if standing is None else "changed"
            self._tuning.note(RuleChange(now_ns, by, rule.uid, kind, before, RULES.to_yaml([rule])))
            return self.rules()[rule.uid]

    def delete(self, uid: str, version: str, by: str, now_ns: int) -> None:
        """See ``RuleBook``."""
        with self._lock:
            standing = self.rules()[uid]
            if standing.origin != "kept":
                raise _elsewhere(standing)
            self._kept.delete(uid, version)
            self._tuning.note(RuleChange(now_ns, by, uid, "deleted", RULES.to_yaml([standing.written])))

    def override(self, uid: str, threshold: Threshold, by: str, now_ns: int) -> Found:
        """See ``RuleBook``."""
        with self._lock:
            standing = self.rules()[uid]
            read = RULES.read_json(RULES.to_json(tuned(standing.written, threshold)), stands=True)
            if read.problems:
                raise ValueError("; ".join(str(problem) for problem in read.problems))
            self._tuning.tune(uid, threshold, by, now_ns)
            return self.rules()[uid]

    def thresholds(self) -> Sequence[KeptThreshold]:
        """See ``RuleBook``."""
        return list(self._tuning.thresholds.values())

    def changes(self, uid: str = "") -> Sequence[RuleChange]:
        """See ``RuleBook``."""
        return [change for change in reversed(self._tuning.changes) if not uid or change.rule_uid == uid]

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """See ``RuleBook``."""
        return self._kept.versions(uid)

    def _look(self) -> _Shelf:
        with self._lock:
            contents = tuple(self._read(place, source) for place, source in enumerate(self._sources))
            if contents != self._shelf.contents or self._tuning.thresholds is not self._shelf.thresholds:
                self._shelf = self._shelved(contents)
                self._log(self._shelf.problems)
            return self._shelf

    def _read(self, place: int, source: RuleSource) -> Contents[Standing]:
        """What a source holds; one that fails keeps what it held, for the rules of the others must go on."""
        try:
            self._good[place] = source.read()
        except Exception as error:  # noqa: BLE001 - a defect costs changes of this source, and no rule
            message = f"rules of the source {source.origin} can't be read ({in_words(error)}): they stay as they were"
            if self._failing.get(place) != message:
                _LOG.exception("alert rules: the source %s failed", source.origin)
            self._failing[place] = message
            before = self._good[place]
            return Contents(before.found, (*before.problems, Problem(message)))
        self._failing.pop(place, None)
        return self._good[place]

    def _shelved(self, contents: tuple[Contents[Standing], ...]) -> _Shelf:
        rules: dict[str, Found] = {}
        recordings: list[RecordingGroup] = []
        problems: list[Problem] = []
        for each in contents:
            problems.extend(each.problems)
            for standing in each.found:
                if not isinstance(standing, Found):
                    recordings.append(standing)
                    continue
                first = rules.setdefault(standing.uid, standing)
                if first is not standing and standing.origin != "shipped":
                    problems.append(hidden(RULES.one, standing, first))
        thresholds = self._tuning.thresholds
        known = {uid: self._counting(found, thresholds.get(uid)) for uid, found in rules.items()}
        return _Shelf(contents, thresholds, known, tuple(recordings), tuple(problems))

    def _counting(self, found: Found, kept: KeptThreshold | None) -> Found:
        rule = found.rule
        if found.origin == "shipped" and not self._defaults.shipped:
            rule = replace(rule, enabled=False)
        if not rule.channels and self._defaults.channels:
            rule = replace(rule, channels=self._defaults.channels)
        if kept is not None:
            rule = tuned(rule, kept.threshold)
        return found if rule is found.rule else replace(found, rule=rule, as_written=found.rule)

    def _log(self, problems: Sequence[Problem]) -> None:
        texts = frozenset(str(problem) for problem in problems)
        for text in sorted(texts - self._logged):
            _LOG.warning("alert rules: %s", text)
        if self._logged and not texts:
            _LOG.info("alert rules: all files are right again")
        self._logged = texts


def tuned(rule: Rule, threshold: Threshold) -> Rule:
    """A rule with what is tuned of it."""
    given = {name: value for name, value in asdict(threshold).items() if value is not None}
    return replace(rule, **given) if given else rule


def _elsewhere(found: Found) -> ElsewhereError:
    return ElsewhereError(f"the rule {found.uid!r}", found.file, found.line, ", or tune or disable it here")
