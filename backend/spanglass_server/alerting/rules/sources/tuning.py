"""What is tuned of rules, and what people changed of them, with who and when: one file in the data directory."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_core.units import format_duration
from spanglass_server.alerting.ports import KeptThreshold, RuleChange, Threshold
from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spanglass_server.store.disk import Disk

_LOG = logging.getLogger(__name__)

#: Changes that are remembered; about 300 kB of them.
MOST_CHANGES = 1000


class Tuning:
    """Thresholds by rule, and changes. Safe for any thread; raises ``OSError`` from the disk, then nothing changed.

    A file that can't be read is logged and set aside under another name: rules then count as they are written.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._lock = threading.Lock()
        self._thresholds: dict[str, KeptThreshold] = {}
        self._changes: tuple[RuleChange, ...] = ()
        self._load()

    @property
    def thresholds(self) -> Mapping[str, KeptThreshold]:
        """What is tuned, by the rule's uid. A new object after each change."""
        return self._thresholds

    @property
    def changes(self) -> tuple[RuleChange, ...]:
        """The newest ``MOST_CHANGES`` changes, oldest first."""
        return self._changes

    def tune(self, uid: str, threshold: Threshold, by: str, now_ns: int) -> None:
        """Keep what is tuned of a rule, in the place of what was before; nothing given takes it back."""
        with self._lock:
            before = self._thresholds.get(uid)
            thresholds = {name: kept for name, kept in self._thresholds.items() if name != uid}
            if threshold != Threshold():
                thresholds[uid] = KeptThreshold(uid, threshold, by, now_ns)
            texts = (written(before.threshold) if before is not None else "", written(threshold))
            self._keep(thresholds, RuleChange(now_ns, by, uid, "tuned", *texts))

    def note(self, change: RuleChange) -> None:
        """Keep a change; what was tuned of a rule that is deleted goes with it."""
        with self._lock:
            gone = change.rule_uid if change.kind == "deleted" else ""
            self._keep({uid: kept for uid, kept in self._thresholds.items() if uid != gone}, change)

    def _keep(self, thresholds: dict[str, KeptThreshold], change: RuleChange) -> None:
        changes = (*self._changes, change)[-MOST_CHANGES:]
        content = {"thresholds": list(thresholds.values()), "changes": changes}
        replace_file(self._path, orjson.dumps(content, option=orjson.OPT_INDENT_2), self._disk)
        self._thresholds, self._changes = thresholds, changes

    def _load(self) -> None:
        if not self._path.exists():
            return
        try:
            content = orjson.loads(self._path.read_bytes())
            kept = [_kept(each) for each in content["thresholds"]]
            self._changes = tuple(RuleChange(**each) for each in content["changes"])
        except (ValueError, TypeError, KeyError) as error:
            aside = self._path.with_suffix(".unreadable")
            self._disk.rename(self._path, aside)
            _LOG.warning("%s can't be read (%s); it is now %s, and nothing is tuned", self._path, error, aside)
            return
        self._thresholds = {each.rule_uid: each for each in kept}


def written(threshold: Threshold) -> str:
    """What is tuned, as a text: ``critical: 0.2, for: 5m``."""
    parts = []
    for name, value in dataclasses.asdict(threshold).items():
        if value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else f"{value:g}"
        parts.append(f"for: {format_duration(value) if value else '0s'}" if name == "for_ns" else f"{name}: {text}")
    return ", ".join(parts)


def _kept(entry: dict[str, Any]) -> KeptThreshold:
    return KeptThreshold(**{**entry, "threshold": Threshold(**entry["threshold"])})
