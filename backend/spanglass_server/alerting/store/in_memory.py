"""The alert store in memory: for tests, backtests and what need not outlive the process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.model import Recorded
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.alerting.store import merging
from spanglass_server.alerting.store.filters import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spanglass_core.alerting.lifecycle import Status
    from spanglass_core.alerting.severity import Severity
    from spanglass_server.alerting.model import Alert, Entry, Key, KeyState
    from spanglass_server.alerting.ports import AlertFilter, Tick


class MemoryAlertStore:
    """An ``AlertStore`` in dictionaries, gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._alerts: dict[str, Alert] = {}  # in the order in which they were added
        self._entries: list[Recorded] = []
        self._states: dict[tuple[str, Key], KeyState] = {}
        self._ticked: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._cursor = 0
        self._version = 0

    def commit(self, tick: Tick) -> None:
        """See ``AlertStore``."""
        with self._lock:
            for alert, entries in tick.changed:
                if alert.id in self._alerts:
                    self._put(merging.said(self._alerts[alert.id], alert, moved=bool(entries)), entries)
            ids = {alert.id: self._open(alert, entries).id for alert, entries in tick.opened}
            for place in tick.gone:
                self._states.pop(place, None)
            for known in tick.states:
                self._states[known.rule_uid, known.key] = merging.linked(known, ids)
            self._ticked.update(dict.fromkeys(tick.rules, tick.time_ns))
            self._digests.update({uid: digest for uid, digest in tick.digests.items() if uid in tick.rules and digest})
            for uid in tick.forgotten:
                self._forget(uid)

    def _forget(self, rule_uid: str) -> None:
        self._states = {place: known for place, known in self._states.items() if place[0] != rule_uid}
        self._ticked.pop(rule_uid, None)
        self._digests.pop(rule_uid, None)

    def _open(self, alert: Alert, entries: Iterable[Entry]) -> Alert:
        stored = self.open_alert(alert.fingerprint)
        return self._put(alert if stored is None else merging.again(stored, alert), entries)

    def _put(self, alert: Alert, entries: Iterable[Entry]) -> Alert:
        self._alerts[alert.id] = alert
        for entry in entries:
            self._cursor += 1
            self._entries.append(Recorded(self._cursor, alert.id, entry))
        self._version += 1
        return alert

    def _replace(self, alert_id: str, change: Callable[[Alert], Alert], entry: Entry) -> Alert:
        with self._lock:
            return self._put(change(self.alert(alert_id)), (entry,))

    def states(self) -> Sequence[KeyState]:
        """See ``AlertStore``."""
        with self._lock:
            return [self._states[place] for place in sorted(self._states)]

    def ticked_ns(self) -> Mapping[str, int]:
        """See ``AlertStore``."""
        with self._lock:
            return dict(self._ticked)

    def digests(self) -> Mapping[str, str]:
        """See ``AlertStore``."""
        with self._lock:
            return dict(self._digests)

    def alert(self, alert_id: str) -> Alert:
        """See ``AlertStore``."""
        with self._lock:
            if alert_id not in self._alerts:
                raise AlertNotFoundError(alert_id)
            return self._alerts[alert_id]

    def found(self, alert_ids: Sequence[str]) -> Mapping[str, Alert]:
        """See ``AlertStore``."""
        with self._lock:
            read = [self._alerts[alert_id] for alert_id in alert_ids if alert_id in self._alerts]
        return {alert.id: replace(alert, evidence={}) for alert in read}

    def all_open(self) -> Sequence[Alert]:
        """See ``AlertStore``."""
        with self._lock:
            return [replace(alert, evidence={}) for alert in self._alerts.values() if alert.status in OPEN]

    def last_cursor(self) -> int:
        """See ``AlertStore``."""
        return self._cursor

    def open_alert(self, fingerprint: str) -> Alert | None:
        """See ``AlertStore``."""
        with self._lock:
            found = (alert for alert in self._alerts.values() if alert.fingerprint == fingerprint)
            return next((alert for alert in found if alert.status in OPEN), None)

    def _matching(self, wanted: AlertFilter) -> list[Alert]:
        with self._lock:
            found = [alert for alert in reversed(self._alerts.values()) if matches(wanted, alert)]
        return sorted(found, key=lambda alert: -alert.created_ns)

    def alerts(self, wanted: AlertFilter, *, limit: int, after: str = "") -> Sequence[Alert]:
        """See ``AlertStore``."""
        if not after:
            return self._matching(wanted)[:limit]
        with self._lock:
            last = self.alert(after)
            place = (last.created_ns, list(self._alerts).index(after))
            order = {alert_id: number for number, alert_id in enumerate(self._alerts)}
            rest = [alert for alert in self._matching(wanted) if (alert.created_ns, order[alert.id]) < place]
        return rest[:limit]

    def count(self, wanted: AlertFilter) -> int:
        """See ``AlertStore``."""
        return len(self._matching(wanted))

    def counts(self, wanted: AlertFilter) -> Mapping[tuple[Status, Severity], int]:
        """See ``AlertStore``."""
        found = self._matching(replace(wanted, statuses=(), severities=()))
        return Counter((alert.status, alert.severity) for alert in found)

    def history(self, alert_id: str) -> Sequence[Entry]:
        """See ``AlertStore``."""
        with self._lock:
            alert = self.alert(alert_id)
            return [recorded.entry for recorded in self._entries if recorded.alert_id == alert.id]

    def create(self, alert: Alert, entry: Entry) -> Alert:
        """See ``AlertStore``."""
        with self._lock:
            return self._open(alert, (entry,))

    def change_status(self, alert_id: str, status: Status, entry: Entry) -> Alert:
        """See ``AlertStore``."""
        return self._replace(alert_id, lambda stored: merging.with_status(stored, status, entry), entry)

    def edit(self, alert_id: str, written: Mapping[str, Any], entry: Entry) -> Alert:
        """See ``AlertStore``."""
        return self._replace(alert_id, lambda stored: merging.edited(stored, written, entry), entry)

    def note(self, alert_id: str, entry: Entry) -> None:
        """See ``AlertStore``."""
        self._replace(alert_id, lambda stored: merging.noted(stored, entry), entry)

    def tell(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See ``AlertStore``."""
        with self._lock:
            for alert_id, entry in entries:
                if alert_id in self._alerts:
                    self._put(self._alerts[alert_id], (entry,))

    def attach(self, alert_id: str, evidence: Mapping[str, Any], entry: Entry) -> None:
        """See ``AlertStore``."""
        self._replace(alert_id, lambda stored: merging.with_evidence(stored, evidence, entry), entry)

    def join(self, alert_id: str, head_id: str, entry: Entry) -> None:
        """See ``AlertStore``."""
        with self._lock:
            self.alert(head_id)
            self._replace(alert_id, lambda stored: merging.joined(stored, head_id, entry), entry)
            for part in [part for part in self._alerts.values() if part.part_of == alert_id]:
                self._alerts[part.id] = replace(part, part_of=head_id)

    def evidence_traces(self) -> frozenset[bytes]:
        """See ``AlertStore``."""
        with self._lock:
            return frozenset(_traces_of([alert.evidence for alert in self._alerts.values()]))

    def entries_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """See ``AlertStore``."""
        with self._lock:
            return [recorded for recorded in self._entries if recorded.cursor > cursor][:limit]

    def delete(self, alert_id: str) -> None:
        """See ``AlertStore``."""
        with self._lock:
            self._delete({self.alert(alert_id).id})

    def purge(self, before_ns: int) -> int:
        """See ``AlertStore``."""
        with self._lock:
            over = [alert for alert in self._alerts.values() if alert.status not in OPEN and not alert.firing]
            return self._delete({alert.id for alert in over if alert.resolved_ns < before_ns})

    def _delete(self, ids: set[str]) -> int:
        for alert_id in ids:
            del self._alerts[alert_id]
        self._entries = [recorded for recorded in self._entries if recorded.alert_id not in ids]
        self._version += bool(ids)
        return len(ids)

    def version(self) -> int:
        """See ``AlertStore``."""
        return self._version

    def close(self) -> None:
        """Nothing is to be released."""


def _traces_of(value: Any) -> Iterator[bytes]:
    """The ids below ``trace_id``, however deep."""
    if isinstance(value, Mapping):
        found = value.get("trace_id")
        if isinstance(found, str):
            yield bytes.fromhex(found)
        yield from _traces_of(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _traces_of(each)
