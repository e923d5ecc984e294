"""What clients of Alertmanager post, read with an error for each thing that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.posted import Posted
from spanglass_server.api.errors import ApiError
from spanglass_server.notifications.desk import NewSilence
from spanglass_server.notifications.model import Matcher
from spanglass_server.notifications.routing.matchers import MatcherError, check_pattern
from spanglass_server.notifications.routing.parsing import parse_matchers
from spanglass_server.times import parse_kept_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.alertmanager.endpoint import Asked

MAX_LABELS = 200
MAX_NAME = 1_000
MAX_VALUE = 20_000
#: By two flags: whether it is a regular expression, and whether it has to match.
_OPERATORS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
_NO_COMMENT = "no comment"


def posted_of(asked: Asked) -> list[Posted]:
    """Read the alerts of a post."""
    if not isinstance(asked.body, list):
        raise ApiError("bad_request", "the body is no list of alerts")
    return [_posted(item, f"[{place}]", asked.now_ns) for place, item in enumerate(asked.body)]


def _posted(item: Any, path: str, now_ns: int) -> Posted:
    if not isinstance(item, dict):
        raise ApiError("bad_request", "expected an object with labels", field=path)
    labels = {name: value for name, value in _texts(item, "labels", path).items() if value}
    if not labels:
        raise ApiError("bad_request", "at least one label that is not empty is needed", field=f"{path}.labels")
    starts_ns, ends_ns = _time(item, "startsAt", path, now_ns), _time(item, "endsAt", path, now_ns)
    if ends_ns and starts_ns > ends_ns:
        raise ApiError("bad_request", "the end is before the start", field=f"{path}.endsAt")
    url = item.get("generatorURL")
    return Posted(
        labels=labels,
        annotations=_texts(item, "annotations", path),
        starts_ns=starts_ns,
        ends_ns=ends_ns,
        generator_url=url[:MAX_VALUE] if isinstance(url, str) else "",
    )


def _texts(item: dict[str, Any], name: str, path: str) -> dict[str, str]:
    found = item.get(name) or {}
    path = f"{path}.{name}"
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ApiError("bad_request", "expected an object of texts", field=path)
    if len(found) > MAX_LABELS or any(len(key) > MAX_NAME or len(found[key]) > MAX_VALUE for key in found):
        message = f"it may hold {MAX_LABELS} names of {MAX_NAME} characters with values of {MAX_VALUE}"
        raise ApiError("bad_request", message, field=path)
    return found


def _time(item: dict[str, Any], name: str, path: str, now_ns: int) -> int:
    """A time in nanoseconds, 0 for none; Go writes the year 1 for none."""
    text = item.get(name)
    if text is None or text == "" or (isinstance(text, str) and text.startswith("0001-01-01")):
        return 0
    try:
        return parse_kept_time(text, now_ns) if isinstance(text, str) else _refuse(text)
    except (ValueError, OverflowError) as error:
        raise ApiError("bad_request", str(error), field=f"{path}.{name}") from error


def _refuse(value: Any) -> int:
    raise ValueError(f"{value!r} is no time; write it as RFC 3339")


def silence_of(asked: Asked) -> tuple[NewSilence, str, str]:
    """Read a silence, who makes it, and the id of the one that it changes ("": a new one)."""
    body = asked.body
    if not isinstance(body, dict):
        raise ApiError("bad_request", "the body is no silence")
    matchers = body.get("matchers")
    if not isinstance(matchers, list) or not matchers:
        raise ApiError("bad_request", "at least one matcher is needed", field="matchers")
    return (
        NewSilence(
            matchers=tuple(_matcher(item, f"matchers[{place}]") for place, item in enumerate(matchers)),
            starts_ns=max(_time(body, "startsAt", "silence", asked.now_ns), asked.now_ns),
            ends_ns=_time(body, "endsAt", "silence", asked.now_ns),
            comment=_text(body, "comment") or _NO_COMMENT,
        ),
        _text(body, "createdBy"),
        _text(body, "id"),
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > MAX_VALUE:
        raise ApiError("bad_request", f"expected a text of at most {MAX_VALUE} characters", field=name)
    return value.strip()


def _matcher(item: Any, path: str) -> Matcher:
    if not isinstance(item, dict):
        raise ApiError("bad_request", "expected a matcher with name, value and isRegex", field=path)
    name, value = item.get("name"), item.get("value")
    if not isinstance(name, str) or not name or not isinstance(value, str):
        raise ApiError("bad_request", "name and value of a matcher are texts", field=path)
    is_regex, is_equal = bool(item.get("isRegex", False)), bool(item.get("isEqual", True))
    if is_regex:
        try:
            check_pattern(value)
        except MatcherError as error:
            raise ApiError("bad_request", error.message, field=path, hint=error.hint or None) from error
    return Matcher(name, _OPERATORS[is_regex, is_equal], value)  # type: ignore[arg-type] # one of the four


def filters_of(asked: Asked) -> Sequence[Matcher]:
    """Read the matchers of the parameter ``filter``, which may come several times; all have to hold."""
    found: list[Matcher] = []
    for text in asked.query.get("filter", ()):
        try:
            found += parse_matchers(text)
        except MatcherError as error:
            raise ApiError("bad_request", error.message, field="filter", hint=error.hint or None) from error
    return found


def flag(asked: Asked, name: str) -> bool:
    """Read a flag, true unless said."""
    text = asked.query.get(name, ["true"])[-1].lower()
    if text not in {"true", "false", "1", "0", ""}:
        raise ApiError("bad_request", f"{text!r} is neither true nor false", field=name)
    return text in {"true", "1", ""}
