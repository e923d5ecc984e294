"""Bodies of requests about objectives: one as JSON or YAML."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.issues.bodies import body_schema, fields_of, text_of
from spanglass_server.api.schema import STRING
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.slo.form.reading import Read, read_json, read_yaml
from spanglass_server.slo.form.spec import OBJECTIVE
from spanglass_server.slo.ports import SloConflictError, SloElsewhereError, TooManySlosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.forms.problems import Problem
    from spanglass_server.slo.model import Objective

_WRITTEN: Final = {
    "slo": OBJECTIVE.schema,
    "yaml": {**STRING, "description": "instead: YAML, as docs/slos.md describes it"},
}
_VERSION: Final = {**STRING, "description": "the version that is changed, as it was given; left out for a new one"}
KEPT: Final = body_schema({**_WRITTEN, "version": _VERSION, "by": BY})
TYPED: Final = body_schema(_WRITTEN)
_HINT: Final = 'send {"slo": {...}} or {"yaml": "..."}'


def read_of(body: Any) -> Read:
    """Read all objectives that a body holds, with all problems; ApiError for one that holds none, or both forms."""
    return _read(fields_of(body, TYPED))


def objective_of(fields: dict[str, Any]) -> Objective:
    """Return the one objective of the fields of a body; ApiError naming what is wrong first."""
    read = _read(fields)
    if read.problems:
        raise _wrong(read.problems)
    if len(read.objectives) != 1:
        message = f"the text holds {len(read.objectives)} objectives"
        raise ApiError("bad_request", message, field="yaml", hint="send one at a time")
    return read.objectives[0][0]


def _read(fields: dict[str, Any]) -> Read:
    given = [form for form in ("slo", "yaml") if form in fields]
    if len(given) != 1:
        message = "the objective is missing" if not given else "slo and yaml are both given"
        raise ApiError("bad_request", message, field="slo", hint=_HINT)
    if given == ["slo"]:
        return read_json(fields["slo"])
    return read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")


def _wrong(problems: tuple[Problem, ...]) -> ApiError:
    first, more = problems[0], len(problems) - 1
    place = f"line {first.line}: " if first.line else ""
    rest = f" ({more} more: POST /api/v1/slos/check lists all)" if more else ""
    field = f"slo.{first.path}" if first.path else "slo"
    return ApiError("bad_request", f"{place}{first.message}{rest}", field=field, hint=first.hint or None)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the book of objectives refuses into errors of the API."""
    try:
        yield
    except SloConflictError as error:
        now = error.current or "none: it was deleted"
        hint = f"get it again, and make the change to what it is now; the version that it has now is {now}"
        raise ApiError("conflict", str(error), field="version", hint=hint) from error
    except SloElsewhereError as error:
        raise ApiError("forbidden", str(error), field="uid", hint="change it in its file") from error
    except TooManySlosError as error:
        hint = "delete one that nobody needs, and try again"
        raise ApiError("conflict", str(error), field="slo", hint=hint) from error
    except OSError as error:
        hint = "free some space or see to the disk of the data directory, and try again"
        raise ApiError("unavailable", f"the change could not be kept: {error}", hint=hint) from error
