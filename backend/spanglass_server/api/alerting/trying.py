"""Routes that try rules before they are kept: checked, shown as they are now, and over what is stored; completion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.completing import Names, completions
from spanglass_server.alerting.backtest.answers import Backtest, Preview
from spanglass_server.alerting.backtest.backtest import Options, backtest
from spanglass_server.alerting.backtest.preview import preview
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.api.alerting import rule_answers as answers
from spanglass_server.api.alerting import rule_bodies as bodies
from spanglass_server.api.alerting.rules import found_rule
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.measures.table import MEASURES
from spanglass_server.promql.ports import Selector
from spanglass_server.query.window import parse_window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.desk import Desk
    from spanglass_server.api.params import Params
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession, Window

_PREVIEW = body_schema(bodies.TRIED)
#: The range of a backtest, in the body or as parameters; the body counts.
_RANGE = (
    Param("start", "time", help="Begin: RFC 3339, Unix time in digits, or relative like now-7d."),
    Param("end", "time", help="End; now unless said."),
    Param("last", "time", help="Instead of start: a duration before the end. Default: 1d."),
    Param("step", "duration", help="A multiple of the rule's interval, for long ranges."),
)
_BACKTEST = body_schema({**bodies.TRIED, **{each.name: {**STRING, "description": each.help} for each in _RANGE}})
_DEFAULT_LAST = "1d"
#: Names of metrics for completion are those of this long before now.
_NAMES_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Defaults:
    """``interval_ns`` is that of rules without one; what a backtest has found after ``limit_s`` is its answer."""

    interval_ns: int = 15 * NS_PER_SECOND
    limit_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Tries:
    """The handlers."""

    desk: Desk
    open_series: Callable[[QuerySession], SeriesSource]
    defaults: Defaults

    def check(self, _: QuerySession, params: Params) -> answers.CheckedRules:
        """Return everything that is wrong with a text."""
        checked = bodies.checked(params["body"], self.desk.evaluator, self.desk.book.rules())
        return {
            "rules": [RULES.to_json(rule) for rule in checked.rules],
            "yaml": RULES.to_yaml(checked.rules) if checked.rules else "",
            "recordings": sum(len(group.recordings) for group in checked.recordings),
            "problems": [problem.as_json() for problem in checked.problems],
            "notes": [note.as_json() for note in checked.notes],
        }

    def preview(self, session: QuerySession, params: Params) -> Preview:
        """Return what a rule says now."""
        rule = self._rule(fields_of(params["body"], _PREVIEW))
        return preview(session, self.desk.evaluator, rule, params["now_ns"], self.defaults.interval_ns)

    def backtest(self, session: QuerySession, params: Params) -> Backtest:
        """Return what a rule would have done."""
        fields = fields_of(params["body"], _BACKTEST)
        step_ns = _RANGE[-1].parse(text_of(fields, "step")) if fields.get("step") else params["step"] or 0
        options = Options(
            interval_ns=self.defaults.interval_ns,
            step_ns=step_ns,
            limit_s=self.defaults.limit_s,
        )
        window = _window(fields, params)
        return backtest(session, self.desk.evaluator, self._rule(fields), window, options)

    def completions(self, session: QuerySession, params: Params) -> answers.CompletionList:
        """Return what may stand at a place of a condition."""
        series, end_ms = self.open_series(session), params["now_ns"] // NS_PER_MS
        recent = [Selector((), end_ms - _NAMES_MS, end_ms)]
        names = Names(
            measures=sorted(MEASURES),
            metrics=series.label_values("__name__", recent),
            labels=[name for name in series.label_names(recent) if name != "__name__"],
        )
        text = params["text"] or ""
        found = completions(text, len(text) if params["at"] is None else params["at"], names)
        return {
            "start": found.start,
            "end": found.end,
            "items": [{"text": item.text, "kind": item.kind} for item in found.items],
        }

    def templates(self, _: QuerySession, __: Params) -> answers.TemplateList:
        """Return the rules that come with the product."""
        shipped = [found.rule for found in self.desk.book.rules().values() if found.origin == "shipped"]
        return {
            "templates": [
                {"rule": RULES.to_json(rule), "yaml": RULES.to_yaml([rule])}
                for rule in sorted(shipped, key=lambda rule: rule.name.lower())
            ]
        }

    def _rule(self, fields: dict[str, Any]) -> Rule:
        """The rule that a body means: one that there is, or one that it holds."""
        given = [form for form in ("uid", "rule", "yaml", "condition") if form in fields]
        if len(given) != 1:
            hint = 'send {"uid": "..."}, {"rule": {...}}, {"yaml": "..."} or {"condition": "error_rate > 5%"}'
            raise ApiError("bad_request", "one of uid, rule, yaml, condition is needed", field="rule", hint=hint)
        if given == ["uid"]:
            return found_rule(self.desk, text_of(fields, "uid")).rule
        return bodies.rule_of(fields, stands=self.desk.book.rules())


def _window(fields: dict[str, Any], params: Params) -> Window:
    start, end, last = (text_of(fields, each.name) or params[each.name] or None for each in _RANGE[:3])
    if last is None and start is None:
        last = _DEFAULT_LAST
    return parse_window(params["now_ns"], start=start, end=end, last=last)


def trying_routes(
    desk: Desk, open_series: Callable[[QuerySession], SeriesSource], defaults: Defaults
) -> tuple[Route, ...]:
    """Return the routes."""
    ask = Tries(desk, open_series, defaults)
    return (
        Route(
            method="POST",
            path="/rules/check",
            summary="Everything that is wrong with a rule, a condition, or a file of rules.",
            body=bodies.CHECKED,
            response=schema_of(answers.CheckedRules),
            query=ask.check,
        ),
        Route(
            method="POST",
            path="/rules/preview",
            summary="What a rule says now: the value of each key, and the level that it has.",
            body=_PREVIEW,
            response=schema_of(Preview),
            query=ask.preview,
        ),
        Route(
            method="POST",
            path="/rules/backtest",
            summary="What a rule would have done over what is stored, and which thresholds would have been quieter.",
            parameters=_RANGE,
            body=_BACKTEST,
            response=schema_of(Backtest),
            query=ask.backtest,
        ),
        Route(
            path="/rules/completions",
            summary="What may stand at a place of a condition.",
            parameters=(
                Param("text", "text", help="The condition as far as it is typed."),
                Param("at", "integer", help="The place, counted from 0; the end unless said.", minimum=0),
            ),
            response=schema_of(answers.CompletionList),
            query=ask.completions,
        ),
        Route(
            path="/rules/templates",
            summary="The rules that come with the product, to be taken as they are or changed.",
            response=schema_of(answers.TemplateList),
            query=ask.templates,
        ),
    )
