"""What the alerter knows between ticks: all of it stands in the store too, and is read anew after any failure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import AlertNotFoundError, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_core.alerting.states import State
    from spanglass_server.alerting.model import Alert, Key, KeyState
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.alerting.running.alerts import Written


class Memory:
    """States by rule and key, the last tick and digest of each rule, and the alerts that states have open."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._states: dict[str, dict[Key, State]] = defaultdict(dict)
        self._linked: dict[tuple[str, Key], str] = {}
        self._alerts: dict[str, Alert | None] = {}
        self._version = store.version()
        self.ticked = dict(store.ticked_ns())
        self.digests = dict(store.digests())
        for known in store.states():
            self._keep(known)

    def _keep(self, known: KeyState) -> None:
        self._states[known.rule_uid][known.key] = known.state
        self._linked[known.rule_uid, known.key] = known.alert_id

    def states_of(self, rule_uid: str) -> Mapping[Key, State]:
        """The states of a rule's keys that are not at rest."""
        return self._states.get(rule_uid, {})

    def remembered(self) -> set[str]:
        """The uids of all rules of which anything is known."""
        return {*self.ticked, *(uid for uid, states in self._states.items() if states)}

    def linked_id(self, rule_uid: str, key: Key) -> str:
        """The id of the alert that a key has open; "" for none. It may have been deleted since."""
        return self._linked.get((rule_uid, key), "")

    def alert(self, rule_uid: str, key: Key) -> Alert | None:
        """The alert that a key has, with what people did to it."""
        if self._store.version() != self._version:
            self._version = self._store.version()
            self._alerts.clear()
        alert_id = self.linked_id(rule_uid, key)
        if not alert_id:
            return None
        if alert_id not in self._alerts:
            self._alerts[alert_id] = self._read(alert_id)
        return self._alerts[alert_id]

    def _read(self, alert_id: str) -> Alert | None:
        try:
            return self._store.alert(alert_id)
        except AlertNotFoundError:
            return None

    def exists(self, alert_id: str) -> bool:
        """Whether there is an alert of that id, open or over."""
        return self._read(alert_id) is not None

    def commit(self, tick: Tick, written: Iterable[Written]) -> bool:
        """Commit a tick, and remember it; False if what is remembered is not what is stored, and is to be read anew."""
        is_mine = self._store.version() == self._version
        self._store.commit(tick)
        for known in tick.states:
            self._keep(known)
        for rule_uid, key in tick.gone:
            self._forget(rule_uid, key)
        self.ticked.update(dict.fromkeys(tick.rules, tick.time_ns))
        self.digests.update(tick.digests)
        for rule_uid in tick.forgotten:
            for key in list(self._states.get(rule_uid, ())):
                self._forget(rule_uid, key)
            self.ticked.pop(rule_uid, None)
            self.digests.pop(rule_uid, None)
        changes = bool(tick.opened or tick.changed)
        if is_mine and self._store.version() == self._version + changes:
            self._version += changes
            self._alerts.update({each.alert.id: each.alert for each in written if each.alert is not None})
        return all(self.exists(alert.id) for alert, _ in tick.opened)

    def _forget(self, rule_uid: str, key: Key) -> None:
        self._states[rule_uid].pop(key, None)
        self._linked.pop((rule_uid, key), None)


class Gathered:
    """What a tick led to, gathered key by key."""

    def __init__(self) -> None:
        self.written: list[Written] = []
        self._states: list[KeyState] = []
        self._gone: list[tuple[str, Key]] = []

    def add(self, rule_uid: str, key: Key, before: State | None, written: Written) -> None:
        """Take what became of one key; ``before`` is the state that is stored, None if none is."""
        self.written.append(written)
        if written.known is None:
            if before is not None:
                self._gone.append((rule_uid, key))
        elif before != written.known.state:
            self._states.append(written.known)

    def opened(self) -> list[Alert]:
        """The alerts that opened."""
        return [alert for each in self.written for alert, _ in each.opened]

    def tick(
        self, time_ns: int, rules: tuple[str, ...], digests: dict[str, str], forgotten: tuple[str, ...] = ()
    ) -> Tick:
        """All of it, to be committed; alerts in the order in which they opened."""
        opened = [pair for each in self.written for pair in each.opened]
        opened.sort(key=lambda pair: (pair[0].created_ns, pair[0].rule_uid, pair[0].key))
        return Tick(
            time_ns,
            rules,
            states=tuple(self._states),
            gone=tuple(self._gone),
            opened=tuple(opened),
            changed=tuple(pair for each in self.written for pair in each.changed),
            digests=digests,
            forgotten=forgotten,
        )
