"""Bodies that hold what people write as files too: one thing as JSON in a field of its name, or YAML in ``yaml``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.fields import text_of
from spanglass_server.api.schema import STRING
from spanglass_server.forms.errors import ConflictError, ElsewhereError, TooManyError
from spanglass_server.forms.listed import Read, T
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from spanglass_server.forms.listed import Listed
    from spanglass_server.forms.names import Stands
    from spanglass_server.forms.problems import Problem

V = TypeVar("V")

VERSION: Final = {**STRING, "description": "the version that is changed, as it was given; left out for a new one"}


@dataclass(frozen=True)
class Written(Generic[T]):
    """How a body holds one: the ``field`` of its JSON, the page of docs, and the path that lists all problems."""

    listed: Listed[T]
    field: str
    docs: str
    check_path: str

    @property
    def fields(self) -> dict[str, Any]:
        """The schema of either form."""
        described = {**STRING, "description": f"instead: YAML, as docs/{self.docs} describes it"}
        return {self.field: self.listed.shape.schema, "yaml": described}

    def read(self, fields: dict[str, Any], *, stands: Stands = False) -> Read[T]:
        """Read all that the fields of a body hold, with all problems; ApiError for none, or both forms.

        ``stands``: it takes the place of one, and its uid with it; or the uids of those that stand, any of which it
        may be.
        """
        given = [form for form in (self.field, "yaml") if form in fields]
        if len(given) != 1:
            message = f"the {self.listed.one} is missing" if not given else f"{self.field} and yaml are both given"
            hint = f'send {{"{self.field}": {{...}}}} or {{"yaml": "..."}}'
            raise ApiError("bad_request", message, field=self.field, hint=hint)
        if given == [self.field]:
            return self.listed.read_json(fields[self.field], stands=stands)
        return self.read_yaml(fields, stands=stands)

    def read_yaml(self, fields: dict[str, Any], *, stands: Stands = False) -> Read[T]:
        """Read the field ``yaml``."""
        return self.listed.read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n", stands=stands)

    def one(self, read: Read[T]) -> T:
        """Return the one that was read; ApiError naming what is wrong first."""
        if read.problems:
            raise self.wrong(read.problems)
        if len(read.found) != 1:
            message = f"the text holds {len(read.found)} {self.listed.many}"
            raise ApiError("bad_request", message, field="yaml", hint="send one at a time")
        return read.values[0]

    def wrong(self, problems: Sequence[Problem], field: str = "") -> ApiError:
        """The error that names the first problem; ``field`` where that is another one."""
        first, more = problems[0], len(problems) - 1
        place = f"line {first.line}: " if first.line else ""
        rest = f" ({more} more: POST {self.check_path} lists all)" if more else ""
        path = f"{self.field}.{first.path}" if first.path else self.field
        column, hint = first.column or None, first.hint or None
        return ApiError("bad_request", f"{place}{first.message}{rest}", field=field or path, column=column, hint=hint)

    def found(self, uid: str, known: Mapping[str, V], field: str = "uid") -> V:
        """Return the one with this uid; ApiError saying which was probably meant."""
        if uid not in known:
            hint = meant(uid, known) if known else None
            raise ApiError("not_found", f"there is no {self.listed.one} {uid!r}", field=field, hint=hint)
        return known[uid]

    def check_unused(self, uid: str, known: Container[str]) -> None:
        """Raise ApiError where the uid of a new one is taken."""
        if uid in known:
            hint = "give the new one another name or uid, or PUT to change the one that there is"
            message = f"another {self.listed.one} has the uid {uid!r}"
            raise ApiError("conflict", message, field=f"{self.field}.uid", hint=hint)

    def read_only(self, uid: str, hint: str) -> ApiError:
        """The error of one that can't be changed over the API."""
        return ApiError("forbidden", f"the {self.listed.one} {uid!r} is read only", field="uid", hint=hint)


def changed_version(fields: dict[str, Any], current: str) -> str:
    """Return the version that a body says it changed; ApiError where it says none."""
    version = text_of(fields, "version")
    if not version:
        hint = f'send "version": "{current}", the one that you changed'
        raise ApiError("bad_request", "the version is missing", field="version", hint=hint)
    return version


@contextmanager
def refusals(code: str = "conflict", version: str = "version", elsewhere: str = "uid") -> Iterator[None]:
    """Turn what a book refuses into errors of the API; ``version`` and ``elsewhere`` are the fields that are named."""
    try:
        yield
    except ConflictError as error:
        now = error.current or "none: it was deleted"
        hint = f"get it again, and make the change to what it is now; the version that it has now is {now}"
        raise ApiError(code, str(error), field=version, hint=hint) from error
    except ElsewhereError as error:
        raise ApiError("forbidden", str(error), field=elsewhere) from error
    except TooManyError as error:
        raise ApiError("conflict", str(error), hint="delete one that nobody needs, and try again") from error
    except OSError as error:
        raise disk_error(error) from error
