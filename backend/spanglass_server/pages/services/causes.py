"""What is wrong, one row a cause: services that fail or are slow for the same reason are told together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]
    Reason = Mapping[str, Any] | None


@dataclass
class Cause:
    """A service that needs attention, why (``why.explain``), and the others that it is the reason of."""

    row: Row
    reason: Reason
    others: list[Row] = field(default_factory=list)


def one_row_a_cause(wrong: Sequence[tuple[Row, Reason]]) -> list[Cause]:
    """Group what is wrong, the worst first, by what its traces say.

    A service whose calls of another one fail stands in the row of that one, if it needs attention itself: it fell
    silent, or it fails. Of services with one reason, the one in which it is comes first.
    """
    by_service = {row["service"]: (row, reason) for row, reason in wrong}
    causes: dict[Any, Cause] = {}
    for row, reason in wrong:
        origin, its_reason = by_service[_origin(row["service"], by_service)]
        key = _key(origin, its_reason)
        cause = causes.setdefault(key, Cause(origin, reason))
        if row["service"] == key[0] != cause.row["service"]:
            cause.row, row = row, cause.row  # noqa: PLW2901 - they change places
        if row is not cause.row and row not in cause.others:
            cause.others.append(row)
        cause.reason = its_reason or cause.reason or reason
    return list(causes.values())


def _origin(service: str, by_service: Mapping[str, tuple[Row, Reason]]) -> str:
    """Follow failing calls from a service to the last one on the way that needs attention."""
    passed = {service}
    while (called := _called(by_service[service][1])) in by_service and called not in passed:
        if by_service[called][0]["finding"].kind not in {"silent", "failing"}:
            break
        passed.add(called)
        service = called
    return service


def _called(reason: Reason) -> str:
    """Return the service that the failing call went to."""
    failure = reason["failure"] if reason else None
    peer = failure["peer"] if failure else None
    return (peer["service"] or "") if peer else ""


def _key(row: Row, reason: Reason) -> tuple[Any, ...]:
    """Return what tells a reason from others, the service first; without a reason the row is on its own."""
    if row["finding"].kind == "silent":
        return (row["service"],)
    if reason and reason["failure"]:
        failure = reason["failure"]
        return failure["service"], "fails", failure["name"], failure["reason"]
    if reason and reason["answer"]:
        answer = reason["answer"]
        return answer["service"], row["finding"].kind, answer["name"]
    return (row["service"],)
