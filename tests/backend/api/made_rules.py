"""A book of rules in a directory of a test, and an evaluator that finds what the test says."""

from __future__ import annotations

from dataclasses import dataclass

from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.model import Failure, Readings
from spanglass_server.alerting.rules.book import Book
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.alerting.rules.sources.files import DirectoryRules
from spanglass_server.alerting.rules.sources.kept import KeptRules
from spanglass_server.alerting.rules.sources.tuning import Tuning
from spanglass_server.store.disk import DISK

# ruff: noqa: ARG002 - the parameters are those of the interface


class MadeBook(Book):
    """The rules of ``files/`` and ``shipped/`` of a directory, and those that are kept there."""

    def __init__(self, directory, clock_ns):
        self.directory = directory
        for origin in ("files", "shipped"):
            (directory / origin).mkdir()
        kept = KeptRules(directory / "kept", DISK, clock_ns)
        sources = [DirectoryRules(directory / origin, origin) for origin in ("files", "shipped")]
        super().__init__(sources, kept, Tuning(directory / "changes.json", DISK))

    def add(self, rule, origin="kept"):
        """Write a rule into a file of its origin."""
        (self.directory / origin / f"{rule.uid}.yaml").write_text(RULES.to_yaml([rule]))


@dataclass
class MadeEvaluator:
    """Finds the same values for every rule; conditions that name ``nonsense`` can't be evaluated."""

    readings: Readings = None

    def check(self, rule):
        """See ``Evaluator``."""
        column = rule.condition.find("nonsense")
        return None if column < 0 else Failure("there is no metric 'nonsense'", column + 1)

    def evaluate(self, session, rules, steps):
        """See ``Evaluator``."""
        return {rule.uid: self.check(rule) or self.readings for rule in rules}


def made_rule(uid="checkout-errors", **more):
    """Write a rule, of which only what matters is said."""
    return Rule(**{"uid": uid, "name": uid, "condition": "error_rate > 0.05"} | more)
