"""Rules and how they stand, by hand: a ``RuleBook`` in a dictionary, and an alerter's status."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.ports import Found, KeptThreshold, RuleConflictError

# ruff: noqa: ARG002 - the parameters are those of the interface


@dataclass
class MadeRules:
    """A book of rules that are kept in memory."""

    found: dict = field(default_factory=dict)
    kept: dict = field(default_factory=dict)
    broken: list = field(default_factory=list)

    @classmethod
    def of(cls, *rules, origin="kept", file="", line=0):
        """Hold some rules."""
        book = cls()
        for rule in rules:
            book.add(rule, origin, file, line)
        return book

    def add(self, rule, origin="kept", file="", line=0):
        """Take one more."""
        self.found[rule.uid] = Found(rule, origin, file, _version(rule), line)

    def rules(self):
        """See ``RuleBook``."""
        return {uid: replace(found, rule=self._tuned(found.rule)) for uid, found in self.found.items()}

    def _tuned(self, rule):
        kept = self.kept.get(rule.uid)
        if kept is None:
            return rule
        names = ("warning", "error", "critical", "recovery", "for_ns", "enabled")
        given = {name: getattr(kept.threshold, name) for name in names}
        return replace(rule, **{name: value for name, value in given.items() if value is not None})

    def problems(self):
        """See ``RuleBook``."""
        return self.broken

    def put(self, rule, version, by, now_ns):
        """See ``RuleBook``."""
        before = self.found.get(rule.uid)
        if (before.version if before else "") != version:
            raise RuleConflictError(rule.uid, before.version if before else "")
        self.add(rule)
        return self.found[rule.uid]

    def delete(self, uid, version, by, now_ns):
        """See ``RuleBook``."""
        if self.found[uid].version != version:
            raise RuleConflictError(uid, self.found[uid].version)
        del self.found[uid]

    def override(self, uid, threshold, by, now_ns):
        """See ``RuleBook``."""
        self.kept[self.found[uid].rule.uid] = KeptThreshold(uid, threshold, by, now_ns)
        return self.rules()[uid]

    def thresholds(self):
        """See ``RuleBook``."""
        return list(self.kept.values())


def _version(rule):
    return hashlib.sha256(repr(rule).encode()).hexdigest()[:16]


def made_rule(uid="checkout-errors", **more):
    """Write a rule, of which only what matters is said."""
    return Rule(**{"uid": uid, "name": uid, "condition": "error_rate > 0.05"} | more)
