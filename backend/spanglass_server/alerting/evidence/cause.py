"""The probable cause in plain sentences: each follows from one part of the evidence by a rule, or is not said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from spanglass_server.alerting.evidence.around import failed_share
from spanglass_server.alerting.evidence.examples import failure_key
from spanglass_server.alerting.evidence.topics import ERRORS
from spanglass_server.alerting.evidence.words import clock, duration, percent, quantity, shortened
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.alerting.evidence.answers import Change, Evidence, Example, IssueShown
    from spanglass_server.alerting.evidence.subject import Subject

#: An issue is the reason if so many of the bad traces have it.
_REASON_SHARE = 0.5
#: An attribute is worth a word if the bad ones have it by so much more often, whatever the size of the groups.
_ATTRIBUTE_DIFFERENCE, _ATTRIBUTE_SHARE = 0.25, 0.6
_MOST_VALUE = 80  # characters of an attribute in a sentence
#: They say which operation it is, or repeat what an example says: no reason.
_DESCRIBING = ("http.route", "http.request.method", "http.method", "http.target", "url.", "http.url", "db.query.text",
               "db.statement", "db.query.summary", "rpc.", "messaging.operation")  # fmt: skip
#: An operation is slower, or fails more, from these factors on, and by so much time at least.
_SLOWER, _FAILS, _SLOWER_NS = 2.0, 0.05, 10_000_000
#: A change explains what began to hold within these seconds after it, or so shortly before it was seen.
_AFTER_S, _BEFORE_S = 600.0, -60.0
_EXPLAINING = ("release", "revision", "restart", "silent", "host")
#: A process that uses less (in processors, in bytes) is not what fills a host.
_MUCH_CPU, _MUCH_MEMORY = 0.5, 200_000_000
#: A value has risen if it is so many times what it was.
_RISEN = 1.25


def clues(found: Evidence, subject: Subject, operation: str, usual: float | None) -> list[str]:
    """What the parts say, most important first. ``operation`` is what most bad spans are called, "" for several.

    ``usual`` is the median of the value before the condition held.
    """
    unreachable = [*_unreachable(found.get("examples", []))]
    reasons = [*(unreachable or _reasons(found)), *_attributes(found, subject)]
    texts = [
        *_health_check(found, subject),
        *reasons,
        *_changes(found.get("changes", [])),
        *(_operations(found, subject, operation) if subject.topic != "errors" or not reasons else ()),
        *_processes(found, subject),
        *_risen(found, usual),
    ]
    head = _head(found, subject, operation)
    return [*([head] if head else []), *dict.fromkeys(texts)]


def cause(clues_: Sequence[str], found: Evidence, subject: Subject, operation: str) -> str:
    """One sentence of the first clues, where there is more than that something is bad; else ""."""
    head = _head(found, subject, operation)
    reasons = [text for text in clues_ if text != head][:3]
    if not reasons:
        return ""
    return f"{head}: {'; '.join(reasons)}" if head else "; ".join(reasons)


def _head(found: Evidence, subject: Subject, operation: str) -> str:
    """What is bad, of whom, how much of it, since when."""
    since = f"since {clock(subject.onset_ns or subject.since_ns)}"
    attributes = found.get("attributes")
    if attributes is None or not attributes["bad"] or subject.signal is Signal.LOGS or subject.issue:
        return ""
    figures = found.get("figures")
    who = f"{operation} of {subject.service}" if operation and subject.service else subject.service or operation
    if not who:
        return ""
    if subject.bad != ERRORS or figures is None or not figures["now"]["errors"]:
        if subject.topic == "latency":
            limit, spans = subject.bad.removeprefix("duration > "), attributes["bad"]
            return f"{who} takes longer than {limit} in {spans} spans {since}"
        return ""
    share = _share_of(operation, found) if operation else figures["failed_share"]
    return f"{who} fails for {percent(share)} of requests {since}"


def _share_of(operation: str, found: Evidence) -> float:
    for each in found["figures"]["operations"]:
        if each["operation"] == operation and each["now"]["errors"]:
            return failed_share(each["now"])
    return found["figures"]["failed_share"]


def _health_check(found: Evidence, subject: Subject) -> Iterator[str]:
    """What the check said when it became as bad as it is."""
    if subject.health_check:
        yield from (log["body"] for log in found.get("logs", [])[:1])


def _unreachable(examples: Sequence[Example]) -> Iterator[str]:
    """A callee that did not answer in most of the examples."""
    peers = Counter(
        (
            example["failure"]["service"],
            peer["service"] or _address(peer["host"], peer["port"]),
            example["failure"]["reason"],
        )
        for example in examples
        if example["failure"] and (peer := example["failure"]["peer"])
    )
    for (caller, callee, why), times in peers.most_common(1):
        if callee and 2 * times > len(examples):
            reason = why.rstrip(": ")
            yield f"calls of {callee} by {caller} fail" + (f": {reason}" if reason else "")


def _address(host: str | None, port: int | None) -> str:
    return f"{host}:{port}" if host and port else host or ""


def _reasons(found: Evidence) -> Iterator[str]:
    """The issue that most bad traces have, else what most of the examples say."""
    examples = found.get("examples", [])
    place = _common(examples)
    failure = place["failure"] if place else None
    began_in = failure["service"] if failure else ""
    if found["about"]["topic"] == "issue" and found.get("issues"):
        own = found["issues"][0]
        yield _of_issue(own, place)
        if place is not None and began_in and began_in != own["service"]:
            yield place["reason"]
        return
    behind = [each for each in found.get("issues", []) if (each["share"] or 0) >= _REASON_SHARE]
    issue = next((each for each in behind if each["service"] == began_in or not began_in), None)
    if issue is not None:
        yield _of_issue(issue, place)
    elif place is not None and place["reason"] and not (failure and (failure["peer"] or not failure["reason"])):
        yield place["reason"]
    elif not examples and found.get("issues"):
        first = found["issues"][0]
        if first["events"]:
            yield f"{first['title']} in {first['service']} ({first['events']} times)"


def _of_issue(issue: IssueShown, place: Example | None) -> str:
    failure = place["failure"] if place else None
    where = f" at {failure['name']} of {issue['service']}" if failure and failure["service"] == issue["service"] else ""
    share = f" in {percent(issue['share'])} of the bad traces" if issue["share"] and issue["share"] < 1 else ""
    new = ", a new issue" if issue["is_new"] else ""
    return f"{issue['title']}{where or ' in ' + issue['service']}{share}{new}"


def _common(examples: Sequence[Example]) -> Example | None:
    """An example whose reason most of them have."""
    keys = Counter(key for key in map(failure_key, examples) if key)
    for key, times in keys.most_common(1):
        if 2 * times > len(examples):
            return next(each for each in examples if failure_key(each) == key)
    return None


def _attributes(found: Evidence, subject: Subject) -> Iterator[str]:
    """The attribute that sets the bad ones apart most, if it does clearly."""
    attributes = found.get("attributes")
    words = {"errors": "failed", "latency": "slow"}.get(subject.topic, "bad")
    if attributes is None:
        return
    records = "logs" if subject.signal is Signal.LOGS else "spans"
    for each in attributes["attributes"]:
        is_clear = each["difference"] >= _ATTRIBUTE_DIFFERENCE and each["share"] >= _ATTRIBUTE_SHARE
        if is_clear and not each["key"].startswith(_DESCRIBING):
            value = shortened(str(each["value"]), _MOST_VALUE)
            others = f"{percent(each['other_share'])} of {'all' if subject.issue else 'the others'}"
            yield f"{percent(each['share'])} of the {words} {records} have {each['key']} = {value}, {others}"
            return


def _operations(found: Evidence, subject: Subject, told: str) -> Iterator[str]:
    """The operation that became slower, or (where that is the topic) fails more; of ``told`` that is said already."""
    figures = found.get("figures")
    for each in figures["operations"] if figures else ():
        now, before = each["now"], each["before"]
        if not before["spans"]:
            continue
        long_ns, usual_ns = now["p95_ns"] or 0, before["p95_ns"] or 0
        if long_ns >= _SLOWER * usual_ns and long_ns >= usual_ns + _SLOWER_NS:
            p95 = f"{duration(long_ns)}, {duration(usual_ns)} before"
            yield f"the 95th percentile of {each['operation']} of {subject.service} is {p95}"
            return
        if subject.topic != "latency" and failed_share(now) - failed_share(before) >= _FAILS:
            if each["operation"] != told:
                share = f"{percent(failed_share(now))}, {percent(failed_share(before))} before"
                yield f"{each['operation']} of {subject.service} fails for {share}"
            return


def _processes(found: Evidence, subject: Subject) -> Iterator[str]:
    """The process that uses most of a host, if that is much."""
    for each in found.get("processes", [])[:1]:
        name = each["service"] or each["command"]
        what = f"process {each['pid']} of {name}" if name else f"process {each['pid']}"
        cpu, memory = each["cpu"] or 0.0, each["memory"] or 0.0
        if ("memory" in subject.name or "swap" in subject.name) and memory >= _MUCH_MEMORY:
            yield f"{what} uses {quantity(memory, 'bytes')} of memory"
        elif "cpu" in subject.name and cpu >= _MUCH_CPU:
            yield f"{what} uses {cpu:.2g} processors"


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    """The change that came right before it."""
    for kind in _EXPLAINING:
        for each in changes:
            if each["kind"] == kind and _BEFORE_S <= each["seconds_before"] <= _AFTER_S:
                yield each["text"]
                return


def _risen(found: Evidence, usual: float | None) -> Iterator[str]:
    """The value beside what it was, where nothing else tells how it changed."""
    shown = found.get("value")
    value = shown["value"] if shown else None
    if shown and value is not None and usual is not None and usual > 0 and value >= _RISEN * usual:
        yield f"the value is {quantity(value, shown['unit'])}, {quantity(usual, shown['unit'])} was usual before"
