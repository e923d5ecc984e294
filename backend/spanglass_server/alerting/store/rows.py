"""Rows of the alert store's tables as types of the model, and back."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Health, Phase, State
from spanglass_server.alerting.model import Alert, Entry, KeyState, Recorded
from spanglass_server.alerting.store.filters import host_of, service_of, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.model import Key

_FIELDS = tuple(field.name for field in fields(Alert))
_STATE = {field.name: field.default for field in fields(State)}
_JSON = ("key", "labels", "channels")
_PACKED_CHARACTERS = 1024  # of evidence from which on it is packed: below, a row has as many pages either way

ALERT_COLUMNS = ", ".join(_FIELDS)
PLAIN_COLUMNS = ", ".join("'{}'" if name == "evidence" else name for name in _FIELDS)
_CHANGED = (*(name for name in _FIELDS if name != "evidence"), "service", "host", "words")
INSERT_ALERT = (
    f"INSERT INTO alerts ({', '.join(_CHANGED)}, evidence) "  # noqa: S608 - names of our own columns
    f"VALUES ({', '.join('?' * (len(_CHANGED) + 1))})"
)
UPDATE_ALERT = f"UPDATE alerts SET {', '.join(f'{name} = ?' for name in _CHANGED)} WHERE id = ?"  # noqa: S608
ENTRY_COLUMNS = "time_ns, kind, who, text, severity, value"
INSERT_ENTRY = (
    f"INSERT INTO entries (alert, {ENTRY_COLUMNS}) "  # noqa: S608 - names of our own columns
    "SELECT number, ?, ?, ?, ?, ?, ? FROM alerts WHERE id = ?"
)
STATE_COLUMNS = "rule_uid, key, alert_id, state"
PUT_STATE = f"INSERT OR REPLACE INTO key_states ({STATE_COLUMNS}) VALUES (?, ?, ?, ?)"  # noqa: S608 - our own columns


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def key_text(key: Key) -> str:
    """Write a key."""
    return _written(key)


def _key(text: str) -> Key:
    return tuple((name, value) for name, value in json.loads(text))


def alert_values(alert: Alert) -> list[Any]:
    """Return the values of ``INSERT_ALERT``."""
    return [*_all_but_evidence(alert), evidence_value(alert.evidence)]


def changed_values(alert: Alert) -> list[Any]:
    """Return the values of ``UPDATE_ALERT``, which leaves the evidence as it is."""
    return [*_all_but_evidence(alert), alert.id]


def _all_but_evidence(alert: Alert) -> list[Any]:
    own = {name: getattr(alert, name) for name in _FIELDS if name != "evidence"}
    own |= {name: _written(own[name] if isinstance(own[name], tuple) else dict(own[name])) for name in _JSON}
    return [*own.values(), service_of(alert), host_of(alert), words_of(alert)]


def evidence_value(evidence: Mapping[str, Any]) -> str | bytes:
    """Write evidence, JSON that is packed if it is long: 6 kB an alert become 1.6."""
    text = _written(dict(evidence))
    return zlib.compress(text.encode()) if len(text) >= _PACKED_CHARACTERS else text


def evidence_text(value: str | bytes) -> str:
    """Read the JSON of evidence, which older versions never packed."""
    return zlib.decompress(value).decode() if isinstance(value, bytes) else value


def alert_of(row: Sequence[Any]) -> Alert:
    """Read a row of ``ALERT_COLUMNS``."""
    own: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
    own["key"] = _key(own["key"])
    own["channels"] = tuple(json.loads(own["channels"]))
    own |= {"labels": json.loads(own["labels"]), "evidence": json.loads(evidence_text(own["evidence"]))}
    own |= {"severity": Severity(own["severity"]), "status": Status(own["status"]), "firing": bool(own["firing"])}
    return Alert(**own)


def entry_values(entry: Entry, alert_id: str) -> list[Any]:
    """Return the values of ``INSERT_ENTRY``."""
    return [entry.time_ns, entry.kind, entry.by, entry.text, entry.severity, entry.value, alert_id]


def entry_of(row: Sequence[Any]) -> Entry:
    """Read a row of ``ENTRY_COLUMNS``."""
    return Entry(*row)


def recorded_of(row: Sequence[Any]) -> Recorded:
    """Read cursor, the alert's id and ``ENTRY_COLUMNS``."""
    cursor, alert_id, *entry = row
    return Recorded(cursor, alert_id, entry_of(entry))


def state_values(known: KeyState) -> list[Any]:
    """Return the values of ``PUT_STATE``: of a state what is not as at its beginning."""
    own = {name: getattr(known.state, name) for name in _STATE}
    told = {name: value for name, value in own.items() if value != _STATE[name]}
    return [known.rule_uid, key_text(known.key), known.alert_id, _written(told)]


def state_of(row: Sequence[Any]) -> KeyState:
    """Read a row of ``STATE_COLUMNS``; what only another version of the server knows of is left out."""
    rule_uid, key, alert_id, told = row
    own = {name: value for name, value in json.loads(told).items() if name in _STATE}
    for name, kind in (("phase", Phase), ("health", Health), ("severity", Severity)):
        if name in own:
            own[name] = kind(own[name])
    return KeyState(rule_uid, _key(key), State(**own), alert_id)
