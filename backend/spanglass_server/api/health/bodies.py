"""Bodies of requests about checks: a check as JSON or YAML."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.issues.bodies import body_schema, fields_of, text_of
from spanglass_server.api.schema import STRING
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.health.form.reading import Read, read_json, read_yaml, refused
from spanglass_server.health.form.spec import CHECK
from spanglass_server.health.ports import CheckConflictError, CheckElsewhereError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.forms.problems import Problem
    from spanglass_server.health.check import Check

_WRITTEN: Final = {
    "check": CHECK.schema,
    "yaml": {**STRING, "description": "instead: YAML, as docs/health-checks.md describes it"},
}
_VERSION: Final = {**STRING, "description": "the version that is changed, as it was given; left out for a new check"}
KEPT: Final = body_schema({**_WRITTEN, "version": _VERSION, "by": BY})
TYPED: Final = body_schema(_WRITTEN)
NOTHING: Final = body_schema({})
_HINT: Final = 'send {"check": {...}} or {"yaml": "..."}'


def read_of(body: Any) -> Read:
    """Read all checks that a body holds, with all problems; ApiError for one that holds none, or both forms."""
    return _read(fields_of(body, TYPED))


def check_of(fields: dict[str, Any]) -> Check:
    """Return the one check of the fields of a body, which pages may keep; ApiError naming what is wrong first."""
    read = _read(fields)
    if read.problems:
        raise _wrong(read.problems)
    if len(read.checks) != 1:
        message = f"the text holds {len(read.checks)} checks"
        raise ApiError("bad_request", message, field="yaml", hint="send one at a time")
    check = read.checks[0][0]
    problem = refused(check)
    if problem is not None:
        raise ApiError("forbidden", problem.message, field=f"check.{problem.path}", hint=problem.hint)
    return check


def _read(fields: dict[str, Any]) -> Read:
    given = [form for form in ("check", "yaml") if form in fields]
    if len(given) != 1:
        message = "the check is missing" if not given else "check and yaml are both given"
        raise ApiError("bad_request", message, field="check", hint=_HINT)
    if given == ["check"]:
        return read_json(fields["check"])
    return read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")


def _wrong(problems: tuple[Problem, ...]) -> ApiError:
    first, more = problems[0], len(problems) - 1
    place = f"line {first.line}: " if first.line else ""
    rest = f" ({more} more: POST /api/v1/checks/check lists all)" if more else ""
    field = f"check.{first.path}" if first.path else "check"
    return ApiError("bad_request", f"{place}{first.message}{rest}", field=field, hint=first.hint or None)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the book of checks refuses into errors of the API."""
    try:
        yield
    except CheckConflictError as error:
        now = error.current or "none: it was deleted"
        hint = f"get it again, and make the change to what it is now; the version that it has now is {now}"
        raise ApiError("conflict", str(error), field="version", hint=hint) from error
    except CheckElsewhereError as error:
        raise ApiError("forbidden", str(error), field="uid", hint="change it in the settings file") from error
    except OSError as error:
        hint = "free some space or see to the disk of the data directory, and try again"
        raise ApiError("unavailable", f"the change could not be kept: {error}", hint=hint) from error
