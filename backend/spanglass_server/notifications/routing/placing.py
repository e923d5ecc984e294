"""Putting alerts into groups, many at a time; an alert that changed may belong to others than before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.notifications.routing.groups import Group, group_key, grouping_labels
from spanglass_server.notifications.routing.tree import channels_of, matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.notifications.model import Route, Subject


def place(groups: Mapping[str, Group], subjects: Iterable[Subject], root: Route, now_ns: int) -> dict[str, Group]:
    """Put alerts into their groups; the groups that changed, by key.

    To be called with alerts that opened, changed or ended, and with all open ones when the tree has changed. An alert
    that is over and in no group is told of to nobody. The order of the alerts is that in which they changed.
    """
    placing = _Placing(groups, now_ns)
    for subject in subjects:
        if subject.ends_ns:  # it stays where it is until its end is told
            continue
        wanted: dict[str, tuple[Route, dict[str, str], tuple[str, ...]]] = {}
        for route in matching(root, subject.labels):
            labels, channels = grouping_labels(route, subject.labels), channels_of(route, subject)
            if channels or route.escalation:  # an escalation tells people by itself
                wanted.setdefault(group_key(route, labels, channels), (route, labels, channels))
        placing.leave(subject.fingerprint, wanted)
        for key, (route, labels, channels) in wanted.items():
            placing.enter(key, subject, route, (labels, channels))
    return placing.changed()


def take_out(groups: Mapping[str, Group], fingerprints: Iterable[str], now_ns: int) -> dict[str, Group]:
    """Take alerts out of their groups, such as those that became parts of other alerts; the groups that changed.

    Whoever was told of one is still told of its end.
    """
    placing = _Placing(groups, now_ns)
    for fingerprint in fingerprints:
        placing.leave(fingerprint, ())
    return placing.changed()


class _Draft:
    """A group whose members change; copied once however many of them do."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.members = dict(group.members)
        self.left = set(group.left)

    def done(self, now_ns: int) -> Group:
        emptied_ns = 0 if self.members else self.group.emptied_ns or now_ns
        return replace(self.group, members=self.members, left=frozenset(self.left), emptied_ns=emptied_ns)


class _Placing:
    """What becomes of groups."""

    def __init__(self, groups: Mapping[str, Group], now_ns: int) -> None:
        self._groups = groups
        self._now_ns = now_ns
        self._drafts: dict[str, _Draft] = {}
        self._keys: dict[str, set[str]] = {}
        for key, group in groups.items():
            for fingerprint in group.members:
                self._keys.setdefault(fingerprint, set()).add(key)

    def leave(self, fingerprint: str, wanted: Iterable[str]) -> None:
        """Take an alert out of all groups but some, or mark it there as one that belongs elsewhere."""
        for key in sorted(self._keys.get(fingerprint, set()) - set(wanted)):
            draft = self._draft(key)
            if draft.group.has_told(fingerprint):
                draft.left.add(fingerprint)
            else:
                del draft.members[fingerprint]
                self._keys[fingerprint].discard(key)

    def enter(self, key: str, subject: Subject, route: Route, own: tuple[dict[str, str], tuple[str, ...]]) -> None:
        """Put an alert into a group, which is made if need be."""
        group = self._groups.get(key)
        if key not in self._drafts and (group is None or group.is_forgotten(self._now_ns)):
            labels, channels = own
            due_ns = self._now_ns + route.group_wait_ns
            group = Group(key=key, route=route.key, channels=channels, labels=labels, due_ns=due_ns)
            self._drafts[key] = _Draft(group)
        draft = self._draft(key)
        if draft.group.channels != own[1]:  # whoever is new among them is told at once
            draft.group = replace(draft.group, channels=own[1], due_ns=min(draft.group.due_ns, self._now_ns))
        draft.members[subject.fingerprint] = subject.alert_id
        draft.left.discard(subject.fingerprint)
        self._keys.setdefault(subject.fingerprint, set()).add(key)
        # one that began long ago has waited already, as after a restart
        if not draft.group.has_flushed and subject.starts_ns + route.group_wait_ns < self._now_ns:
            draft.group = replace(draft.group, due_ns=min(draft.group.due_ns, self._now_ns))

    def changed(self) -> dict[str, Group]:
        """The groups that are not as they were."""
        done = {key: draft.done(self._now_ns) for key, draft in self._drafts.items()}
        return {key: group for key, group in done.items() if group != self._groups.get(key)}

    def _draft(self, key: str) -> _Draft:
        if key not in self._drafts:
            self._drafts[key] = _Draft(self._groups[key])
        return self._drafts[key]
