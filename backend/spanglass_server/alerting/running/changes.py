"""Rules that are no longer what they were: deleted, switched off, or with another meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.fingerprints import digest_of
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.states import INITIAL, Kind, Transition
from spanglass_server.alerting.running.alerts import Subject, Written
from spanglass_server.alerting.running.keys import KeyChange
from spanglass_server.alerting.running.memory import Gathered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.ports import Found, Tick
    from spanglass_server.alerting.running.alerts import Scribe
    from spanglass_server.alerting.running.memory import Memory

DELETED = "the rule was deleted"
DISABLED = "the rule was switched off"
CHANGED = "the rule was changed: {what}"
#: What the server's own watches are called: no rule has such a uid.
OWN = "server:"
#: Recording rules, by group.
RECORDING = "recording:"


def digest(rule: Rule) -> str:
    """What a rule means: with another name, condition or other keys its alerts are not those of before.

    Other thresholds, durations, severities and texts are no other rule: its alerts go on under them.
    """
    return ":".join((digest_of(rule.name)[:8], digest_of(rule.condition)[:8], digest_of(rule.by)[:8]))


def ended(found: Mapping[str, Found], memory: Memory, *, some_unread: bool, seen: set[str]) -> dict[str, str]:
    """Why what is remembered of a rule is no longer true, by uid.

    While some files can't be read (``some_unread``), a rule that was never seen since the start may be in one of them.
    """
    reasons: dict[str, str] = {}
    for uid in memory.remembered():
        if uid.startswith((OWN, RECORDING)):
            continue
        if uid not in found:
            if not some_unread or uid in seen:
                reasons[uid] = DELETED
        elif not found[uid].rule.enabled:
            reasons[uid] = DISABLED
        elif (before := memory.digests.get(uid)) and before != (after := digest(found[uid].rule)):
            reasons[uid] = CHANGED.format(what=_what(before, after))
    return reasons


def _what(before: str, after: str) -> str:
    pairs = zip(before.split(":"), after.split(":"), ("name", "condition", "keys"), strict=False)
    return ", ".join(word for one, other, word in pairs if one != other) or "condition"


def end(
    reasons: Mapping[str, str], found: Mapping[str, Found], memory: Memory, scribe: Scribe, now_ns: int
) -> list[tuple[Tick, Gathered]]:
    """The ticks that resolve the alerts of these rules.

    Rules that are gone are forgotten; one that means something else goes on at its next tick, from the beginning.
    """
    ticks = []
    for uid, reason in reasons.items():
        gathered = _resolved(uid, reason, memory, scribe, now_ns)
        if uid in found and found[uid].rule.enabled and uid in memory.ticked:
            tick = gathered.tick(memory.ticked[uid], (uid,), {uid: digest(found[uid].rule)})
        else:
            tick = gathered.tick(now_ns, (), {}, (uid,))
        ticks.append((tick, gathered))
    return ticks


def _resolved(uid: str, reason: str, memory: Memory, scribe: Scribe, now_ns: int) -> Gathered:
    gathered = Gathered()
    for key, state in list(memory.states_of(uid).items()):
        alert = memory.alert(uid, key)
        if alert is None:
            gathered.add(uid, key, state, Written())
            continue
        rule = Rule(uid=uid, name="", condition="")  # only the uid matters any more
        move = Transition(Kind.RESOLVED, now_ns, alert.severity, state.value, reason)
        change = KeyChange(key, state, INITIAL, [move])
        gathered.add(uid, key, state, scribe.write(Subject(rule, alert.unit), change, alert, alert.id))
    return gathered
