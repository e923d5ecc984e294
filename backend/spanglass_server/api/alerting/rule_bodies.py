"""Bodies of requests about rules: a rule as JSON or YAML, a condition by itself, or the uid of one that there is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_server.alerting.checking import CheckedFile, check_file
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import MAX_TEXT, body_schema, fields_of, text_of
from spanglass_server.api.schema import STRING
from spanglass_server.api.written import VERSION, Written
from spanglass_server.api.written import refusals as written_refusals
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.forms.listed import Read
    from spanglass_server.forms.names import Stands

WRITTEN: Written[Rule] = Written(RULES, "rule", "alert-rules.md", "/api/v1/rules/check")
#: A rule in either form.
_FORMS = WRITTEN.fields
_CONDITION = {**STRING, "description": "instead: a condition by itself"}
KEPT = body_schema({**_FORMS, "version": VERSION, "by": BY})
CHECKED = body_schema({**_FORMS, "condition": _CONDITION})
TRIED = {**_FORMS, "condition": _CONDITION, "uid": {**STRING, "description": "instead: of a rule that there is"}}
SWITCH = body_schema({"by": BY})
#: The uid of a rule that is only a condition.
TYPED = "typed"
_HINT = 'send {"rule": {...}} or {"yaml": "..."}'


def read_of(body: Any, *, stands: Stands = False) -> Read[Rule]:
    """Read all rules that a body holds, with all problems; ApiError for one that holds none, or several forms."""
    fields = fields_of(body, CHECKED)
    form = _form(fields, ("rule", "yaml", "condition"))
    if form == "rule":
        return _with_columns(fields["rule"], RULES.read_json(fields["rule"], stands=stands))
    if form == "yaml":
        return WRITTEN.read_yaml(fields, stands=stands)
    return _of_condition(text_of(fields, "condition", longest=MAX_TEXT))


def checked(body: Any, evaluator: Evaluator, stands: Stands) -> CheckedFile:
    """All that is wrong with what a body holds; YAML may be a file of either kind."""
    fields = fields_of(body, CHECKED)
    if set(fields) == {"yaml"}:
        return check_file(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n", "", evaluator, stands=stands)
    read = read_of(body, stands=stands)
    failures = {rule.uid: evaluator.check(rule) for rule in read.values}
    told = [Problem(each.message, "condition", 0, each.column) for each in failures.values() if each is not None]
    rules = tuple(rule for rule in read.values if failures[rule.uid] is None)
    return CheckedFile(rules, (), (*read.problems, *told), ())


def rule_of(fields: dict[str, Any], *, stands: Stands = False) -> Rule:
    """Return the one rule of the fields of a body, new or one that stands; ApiError naming what is wrong first."""
    form = _form(fields, tuple(name for name in ("rule", "yaml", "condition") if name in fields) or ("rule", "yaml"))
    read = read_of({form: fields[form]}, stands=stands)
    if read.problems:
        raise WRITTEN.wrong(read.problems, "condition" if form == "condition" else "")
    return WRITTEN.one(read)


def _form(fields: dict[str, Any], forms: tuple[str, ...]) -> str:
    given = [form for form in forms if form in fields]
    if len(given) != 1:
        raise ApiError("bad_request", f"one of {', '.join(forms)} is needed", field=forms[0], hint=_HINT)
    return given[0]


def _of_condition(text: str) -> Read[Rule]:
    """A rule that has only a condition."""
    rule = {"name": TYPED, "uid": TYPED, "condition": text}
    return _with_columns(rule, RULES.read_json(rule))


def _with_columns(rule: Any, read: Read[Rule]) -> Read[Rule]:
    """JSON has no places, but a condition has: the column of what is wrong within its text."""
    text = rule.get("condition") if isinstance(rule, dict) else None
    if not isinstance(text, str) or not any(problem.path == "condition" for problem in read.problems):
        return read
    try:
        parse_condition(text)
    except ConditionError as error:
        wrong = Problem(error.message, "condition", 0, error.column, error.hint)
        return replace(read, problems=tuple(wrong if each.path == "condition" else each for each in read.problems))
    return read


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the book of rules refuses into errors of the API."""
    try:
        with written_refusals():
            yield
    except ValueError as error:
        hint = "PUT /api/monitoring/thresholds/{rule}/ with null takes back what is tuned"
        raise ApiError("conflict", f"what is tuned of the rule does not go with it: {error}", hint=hint) from error
