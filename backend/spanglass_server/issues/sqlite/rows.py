"""Rows of the issue store's tables as types of the model, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.model import Activity, ActivityKind, Event, EventKind, KeyRecord, Merge, RuleRecord
from spanglass_server.issues.states import Ignore, IgnoredUntil, Resolution, ResolvedIn, State, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.issues.model import Sighting

#: Where a row of ``issues`` has what.
NUMBER, ID, SERVICE, IS_OVERFLOW, DESCRIBED_NS, TITLE = range(6)
CULPRIT, ASSIGNEE, STATE = 8, 9, 10
DESCRIPTION = slice(DESCRIBED_NS, CULPRIT + 1)  # what is compared to find the earliest description


def status_of(issue: Sequence[Any]) -> Status:
    """Read the status from a row of ``issues``."""
    state, how, resolved_ns, release, after_ns, until, ignored_ns, limit = issue[STATE:]
    resolution = None if how is None else Resolution(ResolvedIn(how), resolved_ns, release, after_ns)
    ignore = None if until is None else Ignore(IgnoredUntil(until), ignored_ns, limit)
    return Status(State(state), resolution, ignore)


def status_values(status: Status) -> tuple[Any, ...]:
    """Return the values of ``set_status.sql``."""
    resolution, ignore = status.resolution, status.ignore
    resolved = (
        (resolution.how, resolution.time_ns, resolution.release, resolution.after_ns) if resolution else (None,) * 4
    )
    ignored = (ignore.until, ignore.since_ns, ignore.limit) if ignore else (None,) * 3
    return status.state, *resolved, *ignored


def is_storable(number: int) -> bool:
    """Whether an id that somebody asks for can be one at all."""
    return -(2**63) <= number < 2**63


def inputs_text(sighting: Sighting) -> str:
    """Write the fingerprint's inputs."""
    return json.dumps(sighting.inputs, ensure_ascii=False, separators=(",", ":"))


def key_record(row: Sequence[Any], issue_id: str) -> KeyRecord:
    """Read a row of ``keys``."""
    key, _, version, inputs, *seen, _ = row
    pairs = tuple((kind, value) for kind, value in json.loads(inputs or "[]"))
    return KeyRecord(key, issue_id, version, pairs, *seen)


def activity(row: Sequence[Any], issue_id: str) -> Activity:
    """Read a row of ``activity``."""
    entry_id, _, time_ns, actor, kind, *rest = row
    return Activity(entry_id, issue_id, time_ns, actor, ActivityKind(kind), *rest)


def merge(row: Sequence[Any], issue_id: str, target_id: str) -> Merge:
    """Read a row of ``merges``."""
    merge_id, _, _, time_ns, actor, by_regrouping, undone_ns, undone_by = row
    return Merge(merge_id, issue_id, target_id, time_ns, actor, bool(by_regrouping), undone_ns, undone_by)


def event(row: Sequence[Any], issue_id: str, service: str) -> Event:
    """Read a row of ``events``."""
    event_id, kind, time_ns, _, *rest = row
    return Event(event_id, EventKind(kind), time_ns, issue_id, service, *rest)


def rule(row: Sequence[Any]) -> RuleRecord:
    """Read id, body, time and actor of a row of ``rules``."""
    rule_id, body, created_ns, actor = row
    return RuleRecord(rule_id, json.loads(body), created_ns, actor)
