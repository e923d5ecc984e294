"""The alert rules of objectives: each fires when the budget burns too fast over a long window and a short one.

Windows and burn rates are those of Google's SRE workbook, "Alerting on SLOs". The rules are made of the objectives
whenever they are asked for: what is changed or deleted there is so here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.evidence.topics import COUNTED_SPANS, GOOD_SPANS
from spanglass_server.alerting.ports import Found
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.forms.files import Contents
from spanglass_server.slo.form.kinds import percent_text

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Origin
    from spanglass_server.alerting.rules.sources.files import Standing
    from spanglass_server.forms import book as forms
    from spanglass_server.slo.book import Book
    from spanglass_server.slo.model import Objective

_MINUTE_NS: Final = 60 * 10**9
_VALUE: Final = '{{ printf "%.1f" $value }}'
#: Two braces in a template.
_BRACES: Final = '{{ "{{" }}'


@dataclass(frozen=True, slots=True)
class Burn:
    """A rule: how many times too fast the budget burns, over a long window and a short one (durations).

    It is evaluated each ``every_ns``: a rule about days need not be each minute.
    """

    name: str
    rate: float
    long: str
    short: str
    severity: Severity
    every_ns: int = _MINUTE_NS


BURNS: Final = (
    Burn("fast", 14.4, "1h", "5m", Severity.CRITICAL),
    Burn("quick", 6, "6h", "30m", Severity.ERROR),
    Burn("slow", 3, "1d", "2h", Severity.WARNING, 5 * _MINUTE_NS),
    Burn("lasting", 1, "3d", "6h", Severity.WARNING, 5 * _MINUTE_NS),
)


def burns_of(objective: Objective) -> tuple[Burn, ...]:
    """The rules that an objective can have: with a target of 90 % nothing burns more than ten times too fast."""
    return tuple(burn for burn in BURNS if burn.rate * objective.allowed < 1)


def rule_uid(objective: Objective, burn: Burn) -> str:
    """The uid of a rule."""
    return f"slo-{objective.uid}-{burn.name}"


def rules_of(objective: Objective) -> list[Rule]:
    """The rules of an objective; none where it wants none."""
    if not (objective.alerts and objective.enabled):
        return []
    return [_rule(objective, burn) for burn in burns_of(objective)]


def _rule(objective: Objective, burn: Burn) -> Rule:
    of = f'{{slo="{objective.uid}"}}'
    terms = [
        f"slo_burn_rate{of} over {burn.long} > {burn.rate:g}",
        f"slo_burn_rate{of} over {burn.short} > {burn.rate:g}",
    ]
    if objective.min_events:
        terms.append(f"slo_events{of} over {burn.long} >= {objective.min_events}")
    return Rule(
        uid=rule_uid(objective, burn),
        name=f"{objective.name}: error budget burns {burn.rate:g} times too fast",
        condition=" and ".join(terms),
        severity=burn.severity,
        interval_ns=burn.every_ns,
        labels={"slo": objective.uid, **({"service_name": objective.of_service} if objective.of_service else {})},
        title=f"{objective.name.replace('{{', _BRACES)}: the error budget burns {_VALUE} times as fast as it may",
        description=_description(objective, burn),
        channels=objective.channels,
        runbook=objective.runbook or f"/slos/{objective.uid}",
        owner=objective.owner,
        annotations=_evidence(objective),
    )


def _evidence(objective: Objective) -> dict[str, str]:
    """What evidence of its alerts looks at; annotations are templates, which filters with two braces would spoil."""
    filters = {COUNTED_SPANS: objective.spans, GOOD_SPANS: objective.good_filter}
    return filters if objective.spans and not any("{{" in text for text in filters.values()) else {}


def _description(objective: Objective, burn: Burn) -> str:
    lasts = f"The error budget of {percent_text(objective.target)} over {objective.window}"
    pace = f"over {burn.long} and {burn.short}, {burn.rate:g} times as fast as it may"
    bad = f" Bad spans: {objective.bad_filter}" if objective.spans else f" The check: {objective.check}"
    return f"{lasts} burns, {pace}.{bad}".replace("{{", _BRACES)


class ObjectiveRules:
    """The rules of all objectives, a ``RuleSource``. They are changed with their objectives, and tuned as any rule."""

    origin: Origin = "slos"

    def __init__(self, book: Book) -> None:
        self._book = book
        self._seen: object = None
        self._contents: Contents[Standing] = Contents()

    def read(self) -> Contents[Standing]:
        """See ``RuleSource``; the problems of objectives are told where they are."""
        found = self._book.found()
        if found is not self._seen:
            self._seen = found
            rules = (self._found(each, rule) for each in found.values() for rule in rules_of(each.value))
            self._contents = Contents(tuple(rules))
        return self._contents

    def _found(self, found: forms.Found[Objective], rule: Rule) -> Found:
        where = found.file if found.origin != "kept" else f"the objective {found.uid!r}"
        line = found.line if found.origin != "kept" else 0
        return Found(rule, self.origin, where, RULES.version_of(rule), line)
