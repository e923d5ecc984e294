"""Bodies of requests that change issues: read field by field; what is wrong is named, with what the field takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import ACTOR, text_of
from spanglass_server.issues.model import IssueChange
from spanglass_server.issues.states import IgnoredUntil, ResolvedIn, State
from spanglass_server.times import parse_kept_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.api.schema import Schema

MAX_ISSUES = 1000
_STATES = (State.RESOLVED, State.IGNORED, State.ONGOING)
#: How long an issue is ignored, by the field of ``until``.
_COUNTS = {"events": IgnoredUntil.EVENTS, "users": IgnoredUntil.USERS}

_TEXT: Schema = {"type": "string"}
IDS: Schema = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MAX_ISSUES}
CHANGE_FIELDS: dict[str, Schema] = {
    "state": {**_TEXT, "enum": [str(state) for state in _STATES]},
    "resolution": {
        **_TEXT,
        "enum": [str(how) for how in ResolvedIn],
        "description": "of resolved; left out: in_release with a release, else now",
    },
    "release": {**_TEXT, "description": "of in_release; left out: the newest one"},
    "until": {
        "type": "object",
        "description": "of ignored, one of these; left out: for ever",
        "properties": {
            "time": {**_TEXT, "description": "RFC 3339, or now+2h"},
            "events": {"type": "integer", "minimum": 1, "description": "how many more"},
            "users": {"type": "integer", "minimum": 1, "description": "how many more"},
            "escalates": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
    "assignee": {"type": ["string", "null"], "description": "a free name; null or empty for nobody"},
    "actor": ACTOR,
}


def ids_of(fields: Mapping[str, Any], name: str = "ids") -> list[str]:
    """Return ids of issues, in capitals; ApiError for anything else."""
    ids = fields[name]
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
        raise ApiError("bad_request", f"{name} is no list of ids", field=name, hint='send ["CHECKOUT-12", ...]')
    if len(ids) > MAX_ISSUES:
        raise ApiError("bad_request", f"{len(ids)} issues are too many", field=name, hint=f"send at most {MAX_ISSUES}")
    return [each.upper() for each in ids]


def change_of(fields: Mapping[str, Any], now_ns: int) -> IssueChange:
    """Return the change that a body asks for; ApiError naming the field at fault."""
    state = _word(fields, "state", _STATES)
    resolution = _word(fields, "resolution", tuple(ResolvedIn))
    release = text_of(fields, "release")
    _goes_with(fields, ("resolution", "release"), state, State.RESOLVED)
    _goes_with(fields, ("until",), state, State.IGNORED)
    if release and resolution not in (None, ResolvedIn.RELEASE):
        hint = "leave one of them out"
        raise ApiError("bad_request", f"{resolution} takes no release", field="release", hint=hint)
    assignee = text_of(fields, "assignee") if "assignee" in fields else None
    if state is None and assignee is None:
        raise ApiError(
            "bad_request", "nothing is to be changed", field="state", hint="send a state, an assignee or both"
        )
    until, limit = _until(fields.get("until"), now_ns)
    return IssueChange(
        state=None if state is None else State(state),
        resolved=ResolvedIn(resolution or (ResolvedIn.RELEASE if release else ResolvedIn.NOW)),
        release=release,
        until=until,
        limit=limit,
        assignee=assignee,
    )


def _word(fields: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if value not in choices:
        raise ApiError("bad_request", f"{value!r} is not one of the choices", field=name, expected=list(choices))
    return str(value)


def _goes_with(fields: Mapping[str, Any], names: tuple[str, ...], state: str | None, needed: State) -> None:
    for name in names:
        if fields.get(name) is not None and state != needed:
            hint = f'send "state": "{needed}" too, or leave it out'
            raise ApiError("bad_request", f"{name} goes with the state {needed} only", field=name, hint=hint)


def _until(value: Any, now_ns: int) -> tuple[IgnoredUntil, int | None]:
    hint = 'send one of {"time": "..."}, {"events": n}, {"users": n}, {"escalates": true}, or leave it out for ever'
    if value is None:
        return IgnoredUntil.FOR_EVER, None
    if not isinstance(value, dict) or len(value) != 1:
        raise ApiError("bad_request", "until is no object with one field", field="until", hint=hint)
    ((name, limit),) = value.items()
    if name == "escalates" and limit is True:
        return IgnoredUntil.ESCALATES, None
    if name in _COUNTS and isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
        return _COUNTS[name], limit
    if name == "time" and isinstance(limit, str):
        try:
            return IgnoredUntil.TIME, parse_kept_time(limit, now_ns)
        except ValueError as error:
            raise ApiError("bad_request", str(error), field="until.time") from error
    raise ApiError("bad_request", f"until.{name} can't be {limit!r}", field=f"until.{name}", hint=hint)


def keys_of(fields: Mapping[str, Any]) -> list[int]:
    """Return keys of fingerprints from their hex digits."""
    keys = fields["keys"]
    try:
        found = [int(key, 16) for key in keys]
    except (TypeError, ValueError):
        found = []
    if not found or any(not 0 <= key < 2**64 for key in found):
        hint = "send those of fingerprint.keys of the issue"
        raise ApiError("bad_request", "keys is no list of 16 hex digits each", field="keys", hint=hint)
    return [key - 2**64 if key >= 2**63 else key for key in found]


def rule_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule of a body; ApiError unless it is an object."""
    rule = fields["rule"]
    if not isinstance(rule, dict):
        hint = 'send {"match": {"type": "..."}, "action": {"join": "..."}}'
        raise ApiError("bad_request", "rule is no JSON object", field="rule", hint=hint)
    return rule
