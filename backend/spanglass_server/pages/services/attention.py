"""What is wrong with a service, from its course over time: it fails, it became slow, it fell silent.

Everything is held against the same service earlier in the range, or at the same time of earlier days; nothing is
compared between services, and few records say nothing. Of a service that always fails now and then, what fails is told
where it is more than comes by chance, or too much in all of the range. The newest buckets are looked at first: a fault
of the last minute must show in a range of hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: From this share of failing requests on a service is said to need attention, if more than one failed.
BAD_RATIO, LEAST_ERRORS = 0.05, 2
#: A fault is one if so many requests fail by chance one time in a thousand, and over when so many succeed; that is
#: said for some buckets.
BY_CHANCE, RECENT_BUCKETS = 0.001, 5
#: "Now" is as many of the newest buckets as hold this many requests, but no more than so many buckets.
NOW_REQUESTS, NOW_BUCKETS = 10, 3
#: What is usual is told by at least so many buckets with at least so many requests together.
USUAL_BUCKETS, USUAL_REQUESTS = 3, 30
#: Slow is so many times the usual, above all but the worst fifth of the usual, and by more than what anyone notices.
SLOW_TIMES, SLOW_WORST, SLOW_NS = 2.5, 0.8, 20_000_000
#: Silent is no request where so many were expected: of requests that come by chance, one time in 22 000 none would be
#: there. What was sent in the newest seconds may be on its way: SDKs send every 5 s.
CERTAIN_REQUESTS, LATE_S = 10, 10


@dataclass(frozen=True)
class Finding:
    """What is wrong: ``failing`` and ``failed`` count shares, ``slow`` nanoseconds, ``silent`` requests a second.

    ``usual`` is the same figure before; ``since_s`` is where it began, ``until_s`` where it ended
    if it has: Unix seconds of a bucket's edge.
    """

    kind: str
    now: float
    usual: float
    since_s: float
    until_s: float | None = None


def find(
    points: Sequence[Mapping[str, Any]],
    end_s: float | None = None,
    earlier: Sequence[Sequence[Mapping[str, Any]]] = (),
) -> Finding | None:
    """Return the worst that a service's series (``t``, ``requests``, ``errors``, ``p95_ns``) shows, or nothing.

    ``end_s`` is how far the newest bucket has come; without it, it has only begun. ``earlier`` are series of times
    before the range: what is slow for most of it is slow beside all of them that have enough requests.
    """
    if not points:
        return None
    silent = _silent(points, points[-1]["t"] if end_s is None else end_s)
    return silent or _failing(points) or _slow(points) or _slow_for_long(points, earlier) or _failed(points)


def _split(
    points: Sequence[Mapping[str, Any]], least: int = 1
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the buckets that are "now", ``least`` or more, and those before, of the buckets with requests."""
    busy = [point for point in points if point["requests"]]
    cut, requests = len(busy), 0
    while cut and len(busy) - cut < NOW_BUCKETS and (requests < NOW_REQUESTS or len(busy) - cut < least):
        cut -= 1
        requests += busy[cut]["requests"]
    return busy[cut:], busy[:cut]


def _failing(points: Sequence[Mapping[str, Any]]) -> Finding | None:
    # the newest bucket may have only begun, with too few requests to fail twice: the one before it counts as well
    now, before = next((split for split in (_split(points), _split(points, 2)) if _fails(split[0])), ([], []))
    if not now:
        return None
    calm = next((i for i in range(len(before), 0, -1) if _ratio(before[i - 1 : i]) < BAD_RATIO), 0)
    bad = [point for point in [*before[calm:], *now] if point["errors"]]
    if _is_over(now, _ratio(bad)):
        return None
    if _are_more([*before[calm:], *now], before[:calm]):
        return Finding("failing", _ratio(bad), _ratio(before[:calm]), bad[0]["t"])
    always = [*before, *now]
    first = next(point for point in always if point["errors"])
    return Finding("failing", _ratio(always), 0.0, first["t"]) if _fails(always) else None


def _fails(points: Sequence[Mapping[str, Any]]) -> bool:
    return _count(points, "errors") >= LEAST_ERRORS and _ratio(points) >= BAD_RATIO


def _are_more(points: Sequence[Mapping[str, Any]], usual: Sequence[Mapping[str, Any]]) -> bool:
    """Whether more fail than can be by chance where so many usually do, by Chernoff's bound of a Poisson variable."""
    failed, expected = _count(points, "errors"), _ratio(usual) * _count(points, "requests")
    if not expected:
        return True
    return failed > expected and failed * math.log(failed / expected) - (failed - expected) >= -math.log(BY_CHANCE)


def _is_over(now: Sequence[Mapping[str, Any]], bad_ratio: float) -> bool:
    """Whether so many requests in a row succeeded that a fault as bad as this one can't go on by chance."""
    newest = now[-1] if now else None
    return newest is not None and not newest["errors"] and (1 - bad_ratio) ** newest["requests"] <= BY_CHANCE


def _failed(points: Sequence[Mapping[str, Any]]) -> Finding | None:
    """Return the last stretch that failed, though it has stopped: a short while ago, or as a part of the whole range.

    Its buckets are those that fail, with none between that does not.
    """
    busy = [point for point in points if point["requests"]]
    end = next((i for i in range(len(busy), 0, -1) if _ratio(busy[i - 1 : i]) >= BAD_RATIO), 0)
    start = next((i for i in range(end, 0, -1) if _ratio(busy[i - 1 : i]) < BAD_RATIO), 0)
    stretch = busy[start:end]
    if not _fails(stretch) or not (len(busy) - end <= RECENT_BUCKETS or _fails(points)):
        return None
    if not _are_more(stretch, [*busy[:start], *busy[end:]]):
        return None
    step_s = points[1]["t"] - points[0]["t"] if len(points) > 1 else 0
    return Finding("failed", _ratio(stretch), _ratio(busy[:start]), stretch[0]["t"], stretch[-1]["t"] + step_s)


def _silent(points: Sequence[Mapping[str, Any]], end_s: float) -> Finding | None:
    """Return that requests stopped, as soon as chance can't explain it and no earlier pause was half as long."""
    busy = [place for place, point in enumerate(points) if point["requests"]]
    if len(busy) < USUAL_BUCKETS or busy[-1] == len(points) - 1:
        return None
    step_s = points[1]["t"] - points[0]["t"]
    usual_per_s = _count(points, "requests") / (step_s * (busy[-1] - busy[0] + 1))
    since_s = points[busy[-1] + 1]["t"]
    silent_s = end_s - since_s - LATE_S
    longest_s = step_s * max(later - earlier - 1 for earlier, later in pairwise(busy))
    if silent_s * usual_per_s < CERTAIN_REQUESTS or silent_s < 2 * longest_s:
        return None
    return Finding("silent", 0.0, usual_per_s, since_s)


def _slow(points: Sequence[Mapping[str, Any]]) -> Finding | None:
    now, before = _split(points)
    at = len(before)
    while at and _far(before[at - 1]["p95_ns"], before[: at - 1]):
        at -= 1  # what began some buckets ago is not the usual yet
    usual, slow = before[:at], [*before[at:], *now]
    if _count(now, "requests") < NOW_REQUESTS or not all(_far(point["p95_ns"], usual) for point in now):
        return None
    return Finding("slow", median(point["p95_ns"] for point in slow), _usual(usual), slow[0]["t"])


def _slow_for_long(
    points: Sequence[Mapping[str, Any]], earlier: Sequence[Sequence[Mapping[str, Any]]]
) -> Finding | None:
    """Return what has been slow for so long that the range itself does not tell what is usual."""
    courses = [[point for point in course if point["requests"]] for course in earlier]
    usual = [course for course in courses if _is_enough(course)]
    busy, (now, _) = [point for point in points if point["requests"]], _split(points)
    at = len(busy)
    while usual and at and all(_far(busy[at - 1]["p95_ns"], course) for course in usual):
        at -= 1
    slow = busy[at:]
    if _count(now, "requests") < NOW_REQUESTS or len(slow) < len(now):
        return None
    return Finding("slow", median(point["p95_ns"] for point in slow), max(map(_usual, usual)), slow[0]["t"])


def _is_enough(points: Sequence[Mapping[str, Any]]) -> bool:
    return len(points) >= USUAL_BUCKETS and _count(points, "requests") >= USUAL_REQUESTS


def _far(p95_ns: int, usual: Sequence[Mapping[str, Any]]) -> bool:
    if not _is_enough(usual):
        return False
    ordered: list[int] = sorted(point["p95_ns"] for point in usual)
    middle, worst = median(ordered), ordered[int(SLOW_WORST * (len(ordered) - 1))]
    return p95_ns >= SLOW_TIMES * middle and p95_ns > worst and p95_ns - middle > SLOW_NS


def _usual(points: Sequence[Mapping[str, Any]]) -> float:
    return float(median(point["p95_ns"] for point in points))


def _count(points: Sequence[Mapping[str, Any]], key: str) -> int:
    return int(sum(point[key] for point in points))


def _ratio(points: Sequence[Mapping[str, Any]]) -> float:
    return _count(points, "errors") / max(1, _count(points, "requests"))
