"""Which alerts a request means: the parameters of the list, read into an ``AlertFilter``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param
from spanglass_server.query.window import parse_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from enum import StrEnum

    from spanglass_server.api.params import Params

    _Word = TypeVar("_Word", bound=StrEnum)

#: Words for several statuses.
_GROUPS = {"open": tuple(status for status in Status if status in OPEN), "all": tuple(Status)}

PARAMETERS = (
    Param("status", "keys", help=f"{', '.join(Status)}, comma-separated; open (the first two), or all (the default)."),
    Param("severity", "keys", help=f"{', '.join(Severity)}, comma-separated."),
    Param("service", "text", help="Only alerts about this service."),
    Param("host", "text", help="Only alerts about this host."),
    Param("rule", "text", help="Only alerts of the rule with this uid."),
    Param("source", "text", help="Only those of this source: rule, api, application, server, or a name of one's own."),
    Param(
        "part_of",
        "text",
        help="Only the parts of the problem that this alert stands for; none: only those that stand for one.",
    ),
    Param("text", "text", help="Only those whose title, description or labels hold this, in any case of letters."),
    Param("labels", "keys", help="Only those with all of these labels: team=shop,env=prod."),
    Param("start", "time", help="Only those created from here on: RFC 3339, Unix time, or relative like now-15m."),
    Param("end", "time", help="And before here; now unless said."),
    Param("last", "time", help="Instead of start: a duration before the end, like 7d. Without any: of all time."),
)


def filter_of(params: Params) -> AlertFilter:
    """Read the parameters; ApiError naming the one at fault."""
    start_ns, end_ns = range_of(params)
    return AlertFilter(
        statuses=statuses_of(params["status"] or ()),
        severities=words_of("severity", params["severity"] or (), Severity),
        rule_uid=params["rule"] or "",
        service=params["service"] or "",
        host=params["host"] or "",
        source=params["source"] or "",
        part_of="" if params["part_of"] == "none" else params["part_of"] or None,
        text=(params["text"] or "").strip(),
        labels=labels_of(params["labels"] or ()),
        start_ns=start_ns,
        end_ns=end_ns,
    )


def statuses_of(words: Sequence[str]) -> tuple[Status, ...]:
    """Read statuses, and the words for several of them; none means all."""
    found: dict[Status, None] = {}
    for word in words:
        group = _GROUPS.get(word.lower())
        found |= dict.fromkeys(group or words_of("status", [word], Status, *_GROUPS))
    return tuple(found)


def words_of(field: str, words: Sequence[str], kind: type[_Word], *more: str) -> tuple[_Word, ...]:
    """Read words of an enumeration; ApiError for another one."""
    known = {word.value: word for word in kind}
    for word in words:
        if word.lower() not in known:
            expected = [*known, *more]
            raise ApiError("bad_request", f"{word!r} is not one of the choices", field=field, expected=expected)
    return tuple(known[word.lower()] for word in words)


def labels_of(pairs: Sequence[str]) -> Mapping[str, str]:
    """Read ``name=value`` pairs; ApiError for what is none."""
    labels = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals):
            hint = "write name=value, several with commas between: team=shop,env=prod"
            raise ApiError("bad_request", f"{pair!r} is no label with its value", field="labels", hint=hint)
        labels[name.strip()] = value.strip().strip('"')
    return labels


def range_of(params: Params) -> tuple[int, int]:
    """The range of creation; 0 for an end that nobody named."""
    if not any(params[name] for name in ("start", "end", "last")):
        return 0, 0
    window = parse_window(params["now_ns"], start=params["start"] or None, end=params["end"], last=params["last"])
    if params["end"] and not (params["start"] or params["last"]):
        return 0, window.end_ns
    return window.start_ns, window.end_ns
