"""An exception and all that led to it: causes, contexts and members of groups, as one flat list.

The list's first entry is what was caught. Each other entry says by ``relation`` and ``parent`` (an index) what it is
to which: ``cause`` (``raise ... from``), ``context`` (it was being handled; not after ``from None``), ``member`` (of an
ExceptionGroup). See docs/app/exceptions.md for every field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass.exceptions.frames import FrameReader
from spanglass.exceptions.occurrence import occurrence_id_of
from spanglass.exceptions.reading import (
    MAX_FIRST_EXCEPTIONS,
    MAX_LAST_EXCEPTIONS,
    MAX_MESSAGE,
    MAX_NOTE,
    MAX_NOTES,
    MAX_WALKED,
    Budget,
)
from spanglass.exceptions.value_text import ValueText, hidden_names
from spanglass.values import class_name, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanglass.exceptions.reading import Scrubber
    from spanglass.settings.settings import Settings


class Link(NamedTuple):
    """One exception of a chain."""

    error: BaseException
    relation: str  # caught, cause, context or member
    parent: int | None  # index of the exception that it led to or is a member of
    left_out: int = 0  # exceptions between the two that are not in the list


class ChainReader:
    """Reads exceptions by one configuration. Safe for threads."""

    def __init__(self, settings: Settings, scrubber: Scrubber, stopwatch: Callable[[], int]) -> None:
        """``stopwatch`` counts nanoseconds from anywhere."""
        self._frames = FrameReader(settings, scrubber)
        self._scrubber = scrubber
        self._hidden = hidden_names(scrubber)
        self._stopwatch = stopwatch

    def read(self, error: BaseException) -> list[dict[str, Any]]:
        """Return the chain as what JSON can write, bounded by ``reading.Budget``."""
        budget = Budget(self._stopwatch)
        values = ValueText(self._scrubber, self._hidden, budget)
        chain = [self._entry(link, budget, values) for link in shorten(walk(error))]
        frames = chain[0]["frames"]
        if not any(frame.get("in_app") for frame in frames):  # after all others: callers take what they leave
            frames[:0] = self._frames.show(self._frames.callers(error), budget, values)
        return chain

    def type_and_message(self, error: BaseException) -> tuple[str, str]:
        """Return the qualified type and the scrubbed message."""
        return class_name(type(error)), self._text(message_of(error), MAX_MESSAGE)

    def _entry(self, link: Link, budget: Budget, values: ValueText) -> dict[str, Any]:
        kind, message = self.type_and_message(link.error)
        entry: dict[str, Any] = {
            "type": kind,
            "module": text_of(type.__getattribute__(type(link.error), "__module__")),
            "message": message,
            "relation": link.relation,
            "parent": link.parent,
        }
        notes = [self._text(note, MAX_NOTE) for note in _notes(link.error)]
        known = occurrence_id_of(link.error)
        more = {"left_out": link.left_out, "notes": notes, "occurrence_id": known}
        entry.update({key: value for key, value in more.items() if value})
        frames, left_out, split = self._frames.read(link.error.__traceback__, budget)
        shown = self._frames.show(frames, budget, values)
        if left_out:
            shown.insert(split, {"left_out": left_out})
        entry["frames"] = shown
        return entry

    def _text(self, text: str, limit: int) -> str:
        return text_of(self._scrubber.text(text[: 2 * limit]), limit)


def message_of(error: BaseException) -> str:
    """Return an exception's message. Its own ``__str__`` makes it, as in any traceback, and may fail."""
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - the application's own method
        return f"<{class_name(type(failure))} in its __str__>"


def walk(error: BaseException) -> list[Link]:
    """Return an exception and all behind it, each once; at most ``MAX_WALKED``."""
    links: list[Link] = []
    seen = {id(error)}
    waiting = [Link(error, "caught", None)]
    while waiting and len(links) < MAX_WALKED:
        link = waiting.pop()
        links.append(link)
        behind = [Link(found, relation, len(links) - 1) for relation, found in _behind(link.error)]
        for each in reversed(behind):
            if id(each.error) not in seen:
                seen.add(id(each.error))
                waiting.append(each)
    return links


def shorten(links: list[Link]) -> list[Link]:
    """Keep the first and the last exceptions of a long chain: what was caught, and what was at the root of it."""
    if len(links) <= MAX_FIRST_EXCEPTIONS + MAX_LAST_EXCEPTIONS:
        return links
    kept = [*range(MAX_FIRST_EXCEPTIONS), *range(len(links) - MAX_LAST_EXCEPTIONS, len(links))]
    places = {index: place for place, index in enumerate(kept)}
    shortened = []
    for index in kept:
        link, parent, left_out = links[index], links[index].parent, 0
        while parent is not None and parent not in places:
            parent, left_out = links[parent].parent, left_out + 1
        shortened.append(link._replace(parent=None if parent is None else places[parent], left_out=left_out))
    return shortened


def _behind(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    if error.__cause__ is not None:
        yield "cause", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        yield "context", error.__context__
    if isinstance(error, BaseExceptionGroup):
        for member in BaseExceptionGroup.exceptions.__get__(error)[:MAX_WALKED]:
            yield "member", member


def _notes(error: BaseException) -> list[str]:
    """Return what ``add_note`` added; the list is the application's, and may hold anything."""
    notes = getattr(error, "__notes__", None)
    return [note for note in notes[:MAX_NOTES] if type(note) is str] if type(notes) is list else []
