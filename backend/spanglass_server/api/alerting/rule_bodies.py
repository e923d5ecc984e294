"""Bodies of requests about rules: a rule as JSON or YAML, a condition by itself, or the uid of one that there is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_server.alerting.checking import CheckedFile, check_file
from spanglass_server.alerting.ports import RuleConflictError, RuleElsewhereError
from spanglass_server.alerting.rules.form.reading import Read, read_json, read_yaml
from spanglass_server.alerting.rules.form.spec import RULE
from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.issues.bodies import MAX_TEXT, body_schema, fields_of, text_of
from spanglass_server.api.schema import STRING
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import Evaluator

#: A rule in either form.
_WRITTEN = {
    "rule": RULE.schema,
    "yaml": {**STRING, "description": "instead: YAML, as docs/alert-rules.md describes it"},
}
_CONDITION = {**STRING, "description": "instead: a condition by itself"}
_VERSION = {**STRING, "description": "the version that is changed, as it was given; left out for a new rule"}
KEPT = body_schema({**_WRITTEN, "version": _VERSION, "by": BY})
CHECKED = body_schema({**_WRITTEN, "condition": _CONDITION})
TRIED = {**_WRITTEN, "condition": _CONDITION, "uid": {**STRING, "description": "instead: of a rule that there is"}}
SWITCH = body_schema({"by": BY})
#: The uid of a rule that is only a condition.
TYPED = "typed"
_HINT = 'send {"rule": {...}} or {"yaml": "..."}'


def read_of(body: Any) -> Read:
    """Read all rules that a body holds, with all problems; ApiError for one that holds none, or several forms."""
    fields = fields_of(body, CHECKED)
    form = _form(fields, ("rule", "yaml", "condition"))
    if form == "rule":
        return _with_columns(fields["rule"], read_json(fields["rule"]))
    if form == "yaml":
        return read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")
    return _of_condition(text_of(fields, "condition", longest=MAX_TEXT))


def checked(body: Any, evaluator: Evaluator) -> CheckedFile:
    """All that is wrong with what a body holds; YAML may be a file of either kind."""
    fields = fields_of(body, CHECKED)
    if set(fields) == {"yaml"}:
        return check_file(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n", "", evaluator)
    read = read_of(body)
    failures = {rule.uid: evaluator.check(rule) for rule, _ in read.rules}
    told = [Problem(each.message, "condition", 0, each.column) for each in failures.values() if each is not None]
    rules = tuple(rule for rule, _ in read.rules if failures[rule.uid] is None)
    return CheckedFile(rules, (), (*read.problems, *told), ())


def rule_of(fields: dict[str, Any]) -> Rule:
    """Return the one rule of the fields of a body; ApiError naming what is wrong first."""
    form = _form(fields, tuple(name for name in ("rule", "yaml", "condition") if name in fields) or ("rule", "yaml"))
    read = read_of({form: fields[form]})
    if read.problems:
        raise _refused(read.problems, form)
    if len(read.rules) != 1:
        raise ApiError(
            "bad_request", f"the text holds {len(read.rules)} rules", field="yaml", hint="send one at a time"
        )
    return read.rules[0][0]


def _form(fields: dict[str, Any], forms: tuple[str, ...]) -> str:
    given = [form for form in forms if form in fields]
    if len(given) != 1:
        raise ApiError("bad_request", f"one of {', '.join(forms)} is needed", field=forms[0], hint=_HINT)
    return given[0]


def _of_condition(text: str) -> Read:
    """A rule that has only a condition."""
    rule = {"name": TYPED, "uid": TYPED, "condition": text}
    return _with_columns(rule, read_json(rule))


def _with_columns(rule: Any, read: Read) -> Read:
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


def _refused(problems: tuple[Problem, ...], form: str) -> ApiError:
    first, more = problems[0], len(problems) - 1
    place = f"line {first.line}: " if first.line else ""
    rest = f" ({more} more: POST /api/v1/rules/check lists all)" if more else ""
    field = "condition" if form == "condition" else f"rule.{first.path}" if first.path else "rule"
    return ApiError(
        "bad_request",
        f"{place}{first.message}{rest}",
        field=field,
        column=first.column or None,
        hint=first.hint or None,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the book of rules refuses into errors of the API."""
    try:
        yield
    except RuleConflictError as error:
        now = error.current or "none: it was deleted"
        hint = f"get it again, and make the change to what it is now; the version that it has now is {now}"
        raise ApiError("conflict", str(error), field="version", hint=hint) from error
    except RuleElsewhereError as error:
        raise ApiError("forbidden", str(error), field="uid") from error
    except ValueError as error:
        hint = "PUT /api/monitoring/thresholds/{rule}/ with null takes back what is tuned"
        raise ApiError("conflict", f"what is tuned of the rule does not go with it: {error}", hint=hint) from error
    except OSError as error:
        hint = "free some space or see to the disk of the data directory, and try again"
        raise ApiError("unavailable", f"the change could not be kept: {error}", hint=hint) from error
