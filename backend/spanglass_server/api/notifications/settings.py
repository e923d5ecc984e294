"""Routes about what is configured of notifications: channels, routes, people and all other sections, in one form."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, BY, actor_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.notifications import answers
from spanglass_server.api.notifications.written import written_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import ANYTHING, STRING, schema_of, table
from spanglass_server.api.written import refusals as written_refusals
from spanglass_server.forms.problems import meant
from spanglass_server.notifications.config.errors import ConfigurationError
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.api.notifications.written import Written
    from spanglass_server.api.params import Params
    from spanglass_server.notifications.config.book import Book
    from spanglass_server.notifications.config.sections import Found
    from spanglass_server.store.ports import QuerySession

#: Below this path.
PATH = "/notifications/settings"
_SECTION = Param("section", "text", help="channels, routes, inhibitions, intervals, people, rotas or escalations.")
_NAME = Param("name", "text", help="The thing's name; of routes always root.")
_VERSION = Param("version", "text", help="The version that is deleted, as it was given.")
_VALUE = {
    "value": {"description": "the thing, as in the settings file"},
    "yaml": {**STRING, "description": "the same as YAML, in the place of value"},
}
_KEPT = body_schema(
    {
        **_VALUE,
        "version": {**STRING, "description": "the version that is changed, as it was given; left out for a new one"},
        "by": BY,
    }
)
_CHECKED = body_schema(_VALUE)


@dataclass(frozen=True, slots=True)
class Configured:
    """The handlers. They read files, so they run in the threads of queries."""

    book: Book

    def list_(self, _: QuerySession, params: Params) -> answers.ThingList:
        """Return all of a section."""
        section = params["section"]
        with refusals(section):
            found = self.book.found(self._section(section))
            return {
                "things": [self._thing(found[name]) for name in sorted(found)],
                "problems": list(self.book.problems()),
            }

    def get(self, _: QuerySession, params: Params) -> answers.Thing:
        """Return one."""
        with refusals(params["section"]):
            return self._thing(self._found(params))

    def put(self, _: QuerySession, params: Params) -> answers.Thing:
        """Keep one."""
        fields = fields_of(params["body"], _KEPT)
        section, name = self._section(params["section"]), params["name"]
        written = written_of(fields)
        with refusals(section, written):
            if written.problem:
                raise ConfigurationError([written.problem])
            self.book.put(section, name, written.value, text_of(fields, "version"), actor_of(fields, params))
            return self._thing(self._found(params))

    def check(self, _: QuerySession, params: Params) -> answers.CheckedThing:
        """Say what is wrong with one that is not kept yet."""
        fields = fields_of(params["body"], _CHECKED)
        section, written = self._section(params["section"]), written_of(fields)
        problems = [written.problem] if written.problem else []
        try:
            if not problems:
                self.book.check(section, params["name"], written.value)
        except ConfigurationError as error:
            problems = [written.placed(problem) for problem in error.problems]
        return {"problems": [problem.as_json() for problem in problems]}

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedThing:
        """Delete one."""
        section, name = params["section"], params["name"]
        with refusals(section):
            self._found(params)
            self.book.delete(section, name, params["version"] or "", actor_of({}, params))
        return {"section": section, "name": name}

    def versions(self, _: QuerySession, params: Params) -> answers.ThingVersions:
        """Return what one was before."""
        section = self._section(params["section"])
        with refusals(section):
            old = self.book.versions(section, params["name"])
        return {
            "versions": [
                {
                    "version": found.version,
                    "by": found.by or None,
                    "replaced_at": format_time(replaced_ns),
                    "value": self.book.shown(section, found.value),
                }
                for replaced_ns, found in old
            ]
        }

    def schema(self, _: Params) -> dict[str, Any]:
        """Return the JSON schema of each section's things."""
        return {section: self.book.schema(section) for section in self.book.sections()}

    def _section(self, name: str) -> str:
        known = self.book.sections()
        if name not in known:
            raise ApiError("not_found", f"there is no section {name!r}", field="section", hint=meant(name, known))
        return name

    def _found(self, params: Params) -> Found:
        section, name = self._section(params["section"]), params["name"]
        found = self.book.found(section)
        if name not in found:
            hint = meant(name, found) if found else f"there is nothing in {section} yet"
            raise ApiError("not_found", f"there is no {name!r} in {section}", field="name", hint=hint)
        return found[name]

    def _thing(self, found: Found) -> answers.Thing:
        return {
            "section": found.section,
            "name": found.name,
            "origin": found.origin,
            "file": found.file,
            "line": found.line or None,
            "version": found.version,
            "editable": found.origin == "kept",
            "value": self.book.written(found.section, found.name),
        }


@contextmanager
def refusals(section: str, written: Written | None = None) -> Iterator[None]:
    """Turn what the book refuses into errors of the API, with the place where it was written as YAML."""
    try:
        with written_refusals(elsewhere="name"):
            yield
    except ConfigurationError as error:
        first, more = error.problems[0], len(error.problems) - 1
        first = written.placed(first) if written else first
        rest = f" ({more} more: POST /api/v1{PATH}/{section}/NAME/check lists all)" if more else ""
        path = f"value.{first.path}" if first.path else "value"
        where = f"line {first.line}: " if first.line else ""
        raise ApiError("bad_request", f"{where}{first.message}{rest}", field=path, hint=first.hint or None) from error


def settings_routes(book: Book) -> tuple[Route, ...]:
    """Return the routes about what is configured."""
    ask = Configured(book)
    one = schema_of(answers.Thing)
    return (
        Route(
            path=f"{PATH}-schema",
            summary="The JSON schema of the things of each section.",
            response=table(ANYTHING),
            reply=ask.schema,
        ),
        Route(
            path=f"{PATH}/{{section}}",
            summary="The things of a section by name, and what is wrong with the settings of notifications.",
            parameters=(_SECTION,),
            response=schema_of(answers.ThingList),
            query=ask.list_,
        ),
        Route(
            path=f"{PATH}/{{section}}/{{name}}",
            summary="One thing with all its defaults, secrets hidden.",
            parameters=(_SECTION, _NAME),
            response=one,
            query=ask.get,
        ),
        Route(
            method="PUT",
            path=f"{PATH}/{{section}}/{{name}}",
            summary="Keep a thing: a new one, or a changed one in the place of its version.",
            parameters=(_SECTION, _NAME, ACTOR_HEADER),
            body=_KEPT,
            response=one,
            query=ask.put,
        ),
        Route(
            method="DELETE",
            path=f"{PATH}/{{section}}/{{name}}",
            summary="Delete a thing that was made in pages or over the API, and that nothing uses.",
            parameters=(_SECTION, _NAME, _VERSION, ACTOR_HEADER),
            response=schema_of(answers.DeletedThing),
            query=ask.delete,
        ),
        Route(
            method="POST",
            path=f"{PATH}/{{section}}/{{name}}/check",
            summary="Everything that is wrong with a thing, without keeping it.",
            parameters=(_SECTION, _NAME),
            body=_CHECKED,
            response=schema_of(answers.CheckedThing),
            query=ask.check,
        ),
        Route(
            path=f"{PATH}/{{section}}/{{name}}/versions",
            summary="What a kept thing was before, newest first.",
            parameters=(_SECTION, _NAME),
            response=schema_of(answers.ThingVersions),
            query=ask.versions,
        ),
    )
