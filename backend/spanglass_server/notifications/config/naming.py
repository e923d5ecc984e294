"""Names within things that stand for other things: which of them lead nowhere, and who uses what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.forms.problems import Problem, meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spanglass_server.notifications.config.sections import Found, Section, Sections, Use

    #: Things by section and name.
    Standing = Mapping[str, Mapping[str, Found]]


def shelved(found: Iterable[Found]) -> tuple[dict[str, dict[str, Found]], list[tuple[Found, Found]]]:
    """Things by section and name, of which the first counts; and those that are hidden, each with what hides it."""
    standing: dict[str, dict[str, Found]] = {}
    hidden = []
    for each in found:
        first = standing.setdefault(each.section, {}).setdefault(each.name, each)
        if first is not each:
            hidden.append((each, first))
    return standing, hidden


class Naming:
    """Names, by what sections say of their things."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    def everything(self, standing: Standing) -> Iterator[tuple[Section, Found]]:
        """Every thing with its section."""
        for name, things in standing.items():
            yield from ((self._sections.by_name[name], found) for found in things.values())

    def leading_nowhere(self, standing: Standing, others: Iterable[Problem] = ()) -> Iterator[Problem]:
        """A problem for every name within a thing that stands for nothing.

        A name of a thing that is there and wrong, as one of the ``others`` says, is no problem of its own.
        """
        wrong = [f".{problem.path}." for problem in others]
        for of, found in self.everything(standing):
            for use in of.uses(found.value):
                if not _is_known(use, standing) and not _is_wrong(use, wrong):
                    problem = self._unknown(use, standing, f"{of.noun} {found.name}")
                    yield Problem(problem.message, problem.path, found.line, hint=problem.hint, file=found.file)

    def mended(self, standing: Standing, before: Standing) -> dict[str, dict[str, Found]]:
        """Things of which a name leads nowhere as they were before, if all of theirs lead somewhere now."""
        mended = {section: dict(things) for section, things in standing.items()}
        for of, found in self.everything(standing):
            old = before.get(found.section, {}).get(found.name)
            if old is not None and self._leads_nowhere(of, found, standing):
                mended[found.section][found.name] = found if self._leads_nowhere(of, old, standing) else old
        return mended

    def unknown(self, of: Section, name: str, value: object, standing: Standing) -> list[Problem]:
        """A problem for every name within a thing, about to be kept, that stands for nothing."""
        fresh = (of.name, name)
        return [self._unknown(use, standing) for use in of.uses(value) if not _is_known(use, standing, fresh)]

    def user_of(self, section: str, name: str, standing: Standing) -> str:
        """Who uses a thing, in words; "" if nobody does."""
        for of, found in self.everything(standing):
            if any(section in use.sections and use.name == name for use in of.uses(found.value)):
                return f"the {of.noun} {found.name!r}"
        return ""

    def hiding(self, found: Found, first: Found) -> Problem:
        """The problem of a thing that another one of its name hides."""
        noun = self._sections.noun(found.section)
        where = f"{first.file}:{first.line}" if first.line else first.file
        message = f"the {noun} {found.name!r} is hidden by the one in {where}"
        return Problem(message, file=found.file, hint="delete one of them, or give it another name")

    def _leads_nowhere(self, of: Section, found: Found, standing: Standing) -> bool:
        return any(not _is_known(use, standing) for use in of.uses(found.value))

    def _unknown(self, use: Use, standing: Standing, where: str = "") -> Problem:
        known = sorted({name for section in use.sections for name in standing.get(section, {})})
        what = " or ".join(self._sections.noun(section) for section in use.sections)
        hint = meant(use.name, known) if known else f"there is no {what} yet"
        return Problem(f"there is no {what} {use.name!r}", ".".join(filter(None, (where, use.path))), hint=hint)


def _is_wrong(use: Use, paths: Iterable[str]) -> bool:
    return any(f".{section}.{use.name}." in path for path in paths for section in use.sections)


def _is_known(use: Use, standing: Standing, fresh: tuple[str, str] = ("", "")) -> bool:
    return any(use.name in standing.get(section, {}) or fresh == (section, use.name) for section in use.sections)
