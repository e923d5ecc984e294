"""What changed just before: releases, restarts, hosts, operations, services that fell silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.alerting.evidence.words import clock, duration, shortened
from spanglass_server.query.comparing.changes import Presence, presences
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.records import match_records
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_server.alerting.evidence.answers import Change
    from spanglass_server.alerting.evidence.shared import Shared
    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.query.comparing.operations import Compared
    from spanglass_server.store.ports import QuerySession, Window

_MOST = 8
#: So far back is looked at least, and what was there from so long after the beginning on is new.
_LEAST_BEFORE_NS = 1_800 * NS_PER_SECOND
_NEW_AFTER_NS = 60 * NS_PER_SECOND
#: Nothing for so long, up to the fire, of what came before: it is gone. Spans are sent every few seconds.
_GONE_NS = 45 * NS_PER_SECOND
#: An instance that begins so soon after another ended took its place.
_RESTART_NS = 120 * NS_PER_SECOND
#: Of what has so few records nothing is known when none come.
_LEAST_RECORDS = 10
_WORDS = {"release": "release", "revision": "revision", "instance": "instance", "host": "host"}


def looked_at(subject: Subject) -> Window:
    """The time in which changes are looked for: the two stretches, and half an hour before the condition held."""
    start_ns = min(subject.before.start_ns, subject.since_ns - _LEAST_BEFORE_NS)
    return clamp(start_ns, subject.window.end_ns)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of services in a window."""

    session: QuerySession
    window: Window
    shared: Shared

    def of(self, service: str, signal: Signal) -> Sequence[Presence]:
        """What began and ended in a service, by its records of a signal."""

        def read() -> Sequence[Presence]:
            return presences(
                self.session, match_records(self.session, signal, self.window, f"service.name = {quote(service)}")
            )

        return self.shared.once(("seen", service, signal, self.window), read)


def changes_of(seen: Seen, subject: Subject, services: Iterable[str]) -> list[Change]:
    """Changes of some services, those nearest to when the condition began to hold first."""
    found: list[Change] = []
    for service in dict.fromkeys(services):
        found += _of_service(seen.of(service, subject.signal), service, subject, seen.window)
    found.sort(key=lambda each: (abs(each["seconds_before"]), each["kind"], each["value"]))
    return found[:_MOST]


def new_operations(subject: Subject, operations: Sequence[Compared]) -> list[Change]:
    """Operations that the service did not have in the time before."""
    if not any(each["before"]["spans"] for each in operations):
        return []
    long = duration(subject.before.end_ns - subject.before.start_ns)
    return [
        _change("operation", subject.service, each["operation"], subject.window.start_ns, subject,
                f"operation {shortened(each['operation'])} of {subject.service} is new: not once in the {long} before")
        for each in operations
        if not each["before"]["spans"] and each["now"]["spans"] >= _LEAST_RECORDS
    ]  # fmt: skip


def silent_service(seen: Seen, subject: Subject, service: str) -> list[Change]:
    """Whether nothing came of a service any more, of spans and logs."""
    last_ns, count = 0, 0
    for signal in (Signal.SPANS, Signal.LOGS):
        found = [each for each in seen.of(service, signal) if each.kind == "service"]
        last_ns = max([last_ns, *(each.last_ns for each in found)])
        count += sum(each.records for each in found)
    if count < _LEAST_RECORDS or last_ns > subject.at_ns - _GONE_NS:
        return []
    text = f"nothing came from {service} after {clock(last_ns)}"
    return [_change("silent", service, service, last_ns, subject, text)]


def _of_service(found: Sequence[Presence], service: str, subject: Subject, window: Window) -> Iterator[Change]:
    """What is new among presences, and which instances ended."""
    whole = next((each for each in found if each.kind == "service"), None)
    if whole is None or whole.first_ns > window.start_ns + _LEAST_BEFORE_NS:
        return  # the service itself is that new: all of it would be
    newest = whole.first_ns + _NEW_AFTER_NS
    gone = [each for each in found if each.kind == "instance" and _is_gone(each, subject)]
    for each in found:
        if each.kind in _WORDS and each.first_ns >= newest:
            yield _begun(each, service, gone, subject)
    replaced = {each.value for each in gone if any(_replaces(new, each) for new in found if new.kind == "instance")}
    for each in gone:
        if each.value not in replaced and whole.last_ns > each.last_ns + _GONE_NS:
            text = f"nothing came from instance {each.value} of {service} after {clock(each.last_ns)}"
            yield _change("gone", service, each.value, each.last_ns, subject, text)


def _begun(each: Presence, service: str, gone: Sequence[Presence], subject: Subject) -> Change:
    since = f"at {clock(each.first_ns)}"
    if each.kind == "instance" and any(_replaces(each, old) for old in gone):
        return _change("restart", service, each.value, each.first_ns, subject, f"{service} was restarted {since}")
    text = f"{_WORDS[each.kind]} {shortened(each.value)} of {service} began {since}"
    return _change(each.kind, service, each.value, each.first_ns, subject, text)


def _replaces(new: Presence, old: Presence) -> bool:
    return old.value != new.value and abs(new.first_ns - old.last_ns) <= _RESTART_NS and new.first_ns > old.first_ns


def _is_gone(each: Presence, subject: Subject) -> bool:
    return each.records >= _LEAST_RECORDS and each.last_ns < subject.at_ns - _GONE_NS


def _change(kind: str, service: str, value: str, time_ns: int, subject: Subject, text: str) -> Change:
    return {
        "kind": kind,  # type: ignore[typeddict-item] # one of the words of the kinds above
        "service": service,
        "value": shortened(value),
        "time": format_time(time_ns),
        "seconds_before": round((subject.since_ns - time_ns) / NS_PER_SECOND, 1),
        "text": text,
    }
