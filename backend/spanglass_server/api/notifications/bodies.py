"""Bodies of requests about notifications: matchers, silences, labels of an alert that need not exist."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.fields import MAX_TEXT, body_schema, text_of
from spanglass_server.api.schema import STRING, array, choice
from spanglass_server.notifications.desk import NewSilence, SilenceError
from spanglass_server.notifications.model import Matcher
from spanglass_server.notifications.routing.matchers import MatcherError, check_pattern
from spanglass_server.notifications.routing.parsing import parse_matchers
from spanglass_server.times import parse_kept_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPERATORS = ("=", "!=", "=~", "!~")
MAX_MATCHERS = 50
_MATCHER = body_schema({"name": STRING, "operator": choice(*OPERATORS), "value": STRING}, ["name", "value"])
MATCHERS = {
    "oneOf": [{**STRING, "examples": ['team="db",severity!="info"']}, array({"oneOf": [STRING, _MATCHER]})],
    "description": "one text, or a list of texts or of objects with name, operator and value",
}
_SILENCE = {
    "matchers": MATCHERS,
    "starts_at": {**STRING, "description": "RFC 3339, Unix time, or now+1h; left out: now"},
    "ends_at": {**STRING, "description": "the same"},
    "duration": {**STRING, "description": "instead of ends_at: how long, such as 2h"},
    "comment": {**STRING, "description": "why", "maxLength": MAX_TEXT},
    "by": BY,
}
SILENCE = body_schema(_SILENCE, ["matchers", "comment"])
HIDDEN = body_schema({"matchers": MATCHERS}, ["matchers"])
_HOW = 'send a text such as team="db", or a list of them'


def matchers_of(fields: Mapping[str, Any], name: str = "matchers") -> tuple[Matcher, ...]:
    """Read matchers; ApiError naming the one that is none, with the column in its text."""
    given = fields[name]
    items = given if isinstance(given, list) else [given]
    if len(items) > MAX_MATCHERS:
        raise ApiError("bad_request", f"{len(items)} matchers are too many", field=name, hint=f"at most {MAX_MATCHERS}")
    found: list[Matcher] = []
    for place, item in enumerate(items):
        field = f"{name}[{place}]" if isinstance(given, list) else name
        try:
            found += parse_matchers(item) if isinstance(item, str) else [_matcher(item, field)]
        except MatcherError as error:
            raise ApiError(
                "bad_request", error.message, field=field, column=error.column or None, hint=error.hint or _HOW
            ) from error
    return tuple(found)


def _matcher(item: Any, field: str) -> Matcher:
    """Read an object with name, operator and value."""
    if not isinstance(item, dict) or not set(item) <= {"name", "operator", "value"}:
        raise ApiError("bad_request", "expected a matcher", field=field, hint=_HOW)
    name, value = text_of(item, "name"), item.get("value")
    operator = item.get("operator", "=")
    if not name or not isinstance(value, str):
        raise ApiError("bad_request", "name and value of a matcher are texts", field=field, hint=_HOW)
    if operator not in OPERATORS:
        raise ApiError("bad_request", f"{operator!r} is no operator", field=f"{field}.operator", expected=OPERATORS)
    if "~" in operator:
        check_pattern(value)
    return Matcher(name, operator, value)


def silence_of(fields: Mapping[str, Any], now_ns: int) -> NewSilence:
    """Read a silence."""
    starts_ns = _time_of(fields, "starts_at", now_ns)
    if fields.get("duration") is not None and fields.get("ends_at") is not None:
        raise ApiError("bad_request", "ends_at and duration are both given", field="duration", hint="send one of them")
    if fields.get("duration") is not None:
        ends_ns = (starts_ns or now_ns) + _duration_of(fields, "duration")
    else:
        ends_ns = _time_of(fields, "ends_at", now_ns)
    if not ends_ns:
        raise ApiError("bad_request", "the end is missing", field="ends_at", hint="send ends_at, or a duration: 2h")
    return NewSilence(
        matchers=matchers_of(fields),
        starts_ns=starts_ns,
        ends_ns=ends_ns,
        comment=text_of(fields, "comment", longest=MAX_TEXT),
    )


def _time_of(fields: Mapping[str, Any], name: str, now_ns: int) -> int:
    text = text_of(fields, name)
    try:
        return parse_kept_time(text, now_ns) if text else 0
    except ValueError as error:
        raise ApiError("bad_request", str(error), field=name) from error


def _duration_of(fields: Mapping[str, Any], name: str) -> int:
    try:
        return parse_duration_ns(text_of(fields, name))
    except UnitError as error:
        hint = "write a number and a unit, such as 30m, 2h or 1d"
        raise ApiError("bad_request", str(error), field=name, hint=hint) from error


@contextmanager
def refusals(what: str, field: str = "id") -> Iterator[None]:
    """Turn what the desk refuses into errors of the API; ``what`` is the noun of what may not be there."""
    try:
        yield
    except AlertNotFoundError as error:
        hint = "GET /api/monitoring/alerts/ lists alerts"
        raise ApiError("not_found", f"there is no alert {error.args[0]!r}", field=field, hint=hint) from error
    except KeyError as error:
        raise ApiError("not_found", f"there is no {what} {error.args[0]!r}", field=field) from error
    except SilenceError as error:
        raise ApiError("bad_request", str(error), field=error.field) from error
    except OSError as error:
        raise disk_error(error) from error
