"""What one attempt to deliver came to, in the words of OTLP: taken, to be tried later, or refused for good."""

from __future__ import annotations

from enum import Enum
from http.client import BadStatusLine
from typing import NamedTuple

#: In answers to exports of metrics (header, or trailing metadata): ``host=60s, shop:process=30s``.
INTERVALS_HEADER = "spanglass-collection-intervals"


class Verdict(Enum):
    """What follows from an answer, or from there being none."""

    TAKEN = "taken"
    LATER = "later"  # the same bytes may be taken another time
    REFUSED = "refused"  # they never will be


class Answer(NamedTuple):
    """How one attempt ended. ``reason`` is a sentence for people without secrets; ``kind`` has few values."""

    verdict: Verdict
    reason: str = ""
    kind: str = ""  # error.type: a status such as "503" or "UNAVAILABLE", or the name of an exception
    status: int | None = None  # of HTTP
    retry_after_ns: int | None = None
    rejected: int = 0  # records that the server left out of what it took
    message: str = ""  # what the server says about those
    intervals: str = ""  # how often it asks collectors of metrics to measure


#: Before the first attempt: there was no time for one.
NO_TIME = Answer(Verdict.LATER, "there was no time left to send it", "closing")

#: Without an attempt: neither our encoder nor OpenTelemetry's has bytes for it.
NOT_ENCODABLE = Answer(Verdict.REFUSED, "it could not be encoded", "not_encodable")


def root_cause(error: BaseException) -> BaseException:
    """Find the error below the ones that libraries wrap around it."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inside = (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args)
        error = next((each for each in inside if isinstance(each, BaseException)), error)
    return error


def describe(error: BaseException) -> str:
    """Say in few words what went wrong on the way: ``connection refused``, ``timed out``."""
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, BadStatusLine) and not isinstance(error, ConnectionError):
        return "it does not speak HTTP/1.1; is it the port of OTLP/gRPC? That of OTLP/HTTP is usually 4318"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:200]
