"""New keys for stored occurrences, by the rules of grouping that stand now.

Each part of the store is read, its occurrences are grouped anew from the records that tell of them, and it is written
again with the new keys. No occurrence comes or goes; one whose record is deleted keeps its key. Issues follow their
occurrences before the first part is written, so that nobody meets a key without its issue.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.issues.model import AUTOMATIC, Move
from spanglass_server.issues.occurrences.grouper import Grouper
from spanglass_server.issues.tracker import rules_of
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.issues.occurrences.sightings import Sightings
    from spanglass_server.issues.occurrences.told import Told
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.store.store import Part, Store

_LOG = logging.getLogger(__name__)

#: Grouped at once: their stacks are in memory, 3 kB each.
_BATCH_ROWS = 10_000
#: What comes while parts are written may have old keys still; so often it is looked for.
_ROUNDS_MAX = 5


class Sources(Protocol):
    """Reads the records that tell of occurrences."""

    def __call__(self, occurrences: Any, keys: Sequence[str]) -> list[Told | None]:
        """What the record of each occurrence of a table tells, None where it is deleted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far regrouping is. ``error`` is why the last one ended early."""

    is_running: bool = False
    done: int = 0
    total: int = 0
    moved: int = 0
    error: str | None = None


class Regrouping:
    """Regroups when it is asked to; ``step`` belongs to one thread, the rest to any.

    ``tell`` is ``IssueTracker.observe``: it passes what was seen to the issue store.
    """

    def __init__(
        self,
        issues: IssueStore,
        store: Store,
        sources: Sources,
        sightings: Sightings,
        tell: Callable[[], None],
        clock_ns: Callable[[], int],
    ) -> None:
        self._issues = issues
        self._store = store
        self._sources = sources
        self._sightings = sightings
        self._tell = tell
        self._clock_ns = clock_ns
        self._asked = threading.Event()
        self.progress = Progress()

    def ask(self) -> Progress:
        """Have stored occurrences regrouped; no second time while it runs."""
        if not self.progress.is_running:
            self.progress = Progress(is_running=True)
            self._asked.set()
        return self.progress

    def is_asked(self) -> bool:
        """Whether ``step`` has anything to do."""
        return self._asked.is_set()

    def step(self) -> None:
        """Regroup if somebody asked."""
        if not self._asked.is_set():
            return
        self._asked.clear()
        try:
            self._regroup()
        except Exception as error:
            self.progress = replace(self.progress, is_running=False, error=f"{error}; start it again")
            raise
        self.progress = replace(self.progress, is_running=False)
        _LOG.info("regrouping gave %d of %d occurrences another key", self.progress.moved, self.progress.total)

    def _regroup(self) -> None:
        kept = self._issues.rules()
        grouper = Grouper(rules_of(kept), kept.epoch)
        for _ in range(_ROUNDS_MAX):
            with self._store.parts(Signal.OCCURRENCES) as parts:
                old = {
                    part: part.read() for part in parts if _is_old(part.read(columns=["grouping"]), grouper.grouping)
                }
                if not old:
                    return
                self.progress = replace(self.progress, total=self.progress.total or sum(part.rows for part in parts))
                keys = {part: self._new_keys(table, grouper) for part, table in old.items()}
                self._carry(parts, keys)
                for part, table in old.items():
                    part.rewrite(_with_keys(table, keys[part], grouper.grouping))
        _LOG.warning("some occurrences kept their keys, because so many came meanwhile; regroup again")

    def _new_keys(self, table: Any, grouper: Grouper) -> Any:
        keys: list[int] = []
        for start in range(0, table.num_rows, _BATCH_ROWS):
            batch = table.slice(start, _BATCH_ROWS)
            olds = batch["issue_key"].to_pylist()
            for old, one in zip(olds, self._sources(batch, grouper.keys), strict=True):
                keys.append(old if one is None else self._key(one, grouper))
            self.progress = replace(self.progress, done=self.progress.done + batch.num_rows)
        return pa.array(keys, pa.int64())

    def _key(self, one: Told, grouper: Grouper) -> int:
        found = grouper.group(one).fingerprint
        key = self._issues.route(found.key, one.service)
        self._sightings.see(key, one, found)
        return key

    def _carry(self, parts: Sequence[Part], keys: Mapping[Part, Any]) -> None:
        moves: Counter[tuple[int, int]] = Counter()
        for part in parts:
            olds = part.read(columns=["issue_key"])["issue_key"]
            moves.update(zip(olds.to_pylist(), keys.get(part, olds).to_pylist(), strict=True))
        moved = sum(count for (old, new), count in moves.items() if old != new)
        self.progress = replace(self.progress, moved=self.progress.moved + moved)
        if moved:
            self._issues.carry([Move(*keys, count) for keys, count in moves.items()], AUTOMATIC, self._clock_ns())
        self._tell()


def _is_old(table: Any, grouping: int) -> bool:
    return bool(pc.any(pc.not_equal(table["grouping"], grouping)).as_py())


def _with_keys(table: Any, keys: Any, grouping: int) -> Any:
    epochs = pa.array([grouping] * table.num_rows, pa.int32())
    names = table.column_names
    table = table.set_column(names.index("issue_key"), "issue_key", keys)
    return table.set_column(names.index("grouping"), "grouping", epochs)
