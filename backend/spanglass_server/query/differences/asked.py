"""Which spans are selected, and which they are compared with: all conditions of the question as SQL."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import FilterError, compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import Sql, all_of, negated
from spanglass_server.query.language.parsing.ast import fields_of
from spanglass_server.query.matching import match_spans, within
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.structure.compiling import pins_of
from spanglass_server.signals import Signal, quote_identifier
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from spanglass_server.query.matching import Matching, SpanQuestion
    from spanglass_server.store.ports import QuerySession

VERSION = "service.version"
_VERSION_COLUMN = f"resource.{VERSION}:str"
_NOTHING = "give selected, selected_start, selected_end, selected_min, selected_max, release or baseline_start"


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the spans of a question: those that match a filter and lie in a stretch of time and of durations.

    ``start_ns`` is inclusive, ``end_ns`` is not; durations are inclusive, in nanoseconds. None leaves an end open.
    """

    filter: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    min_ns: int | None = None
    max_ns: int | None = None

    @property
    def terms(self) -> list[Sql]:
        """The conditions of durations."""
        bounds = ("duration_ns >= ?", self.min_ns), ("duration_ns <= ?", self.max_ns)
        return [Sql(text, (value,)) for text, value in bounds if value is not None]


@dataclass(frozen=True, slots=True)
class DifferenceQuestion:
    """The spans that are compared, those of them that are selected, and those that they stand beside.

    With a baseline that has times, these may lie outside of the range of ``spans``; without, it is all spans that are
    not selected. With ``release``, the spans from its first one on are selected.
    """

    spans: SpanQuestion
    selected: Selection = field(default_factory=Selection)
    baseline: Selection = field(default_factory=Selection)
    release: str = ""


@dataclass(frozen=True, slots=True)
class Groups:
    """A question made ready: the conditions of both groups, and the columns and keys that they are about.

    Each has the window that all of its spans lie in; ``baseline`` may hold for selected spans, too.
    """

    matching: Matching
    selected: Sql
    selected_window: Window
    baseline: Sql
    others_window: Window
    columns: frozenset[str]
    keys: frozenset[str]
    since_ns: int | None  # when the release began

    @property
    def others(self) -> Sql:
        """The condition of spans that the selected ones stand beside."""
        return all_of([self.baseline, negated(self.selected)])


def read_groups(session: QuerySession, asked: DifferenceQuestion) -> Groups:
    """Make a question ready; BadQuestionError where nothing is selected, or a filter can't be understood."""
    if asked.selected == Selection() and asked.baseline == Selection() and not asked.release:
        raise BadQuestionError("Nothing is selected.", field="selected", hint=_NOTHING)
    window, before = asked.spans.window, _window_of(asked.baseline)
    whole = Window(min(window.start_ns, before.start_ns), max(window.end_ns, before.end_ns)) if before else window
    matching = match_spans(session, replace(asked.spans, window=whole))
    since_ns = _first_of(session, matching.narrowed(window), asked.release) if asked.release else None
    selected, columns, keys = _condition(session, asked.selected, "selected", matching)
    baseline, more, more_keys = _condition(session, asked.baseline, "baseline", matching)
    inside = _inside(window, asked.selected, since_ns)
    selected.append(within(inside))
    baseline.append(within(before or window))
    if since_ns is not None:
        keys |= {VERSION}
    return Groups(matching, all_of(selected), inside, all_of(baseline), before or window, columns | more,
                  frozenset(keys | more_keys), since_ns)  # fmt: skip


def _inside(window: Window, selection: Selection, since_ns: int | None) -> Window:
    """The part of a window in which a selection lies."""
    start_ns = max(window.start_ns, selection.start_ns or 0, since_ns or 0)
    end_ns = window.end_ns if selection.end_ns is None else min(window.end_ns, selection.end_ns)
    return Window(start_ns, max(end_ns, start_ns))


def _window_of(selection: Selection) -> Window | None:
    if selection.start_ns is None or selection.end_ns is None:
        if selection.start_ns is not None or selection.end_ns is not None:
            missing = "baseline_end" if selection.end_ns is None else "baseline_start"
            raise BadQuestionError(f"{missing} is missing.", field=missing, hint="give both ends of the time before")
        return None
    if selection.start_ns >= selection.end_ns:
        raise BadQuestionError("The baseline ends before it begins.", field="baseline_end", hint="give a later time")
    return Window(selection.start_ns, selection.end_ns)


def _condition(
    session: QuerySession, selection: Selection, parameter: str, matching: Matching
) -> tuple[list[Sql], frozenset[str], set[str]]:
    """The conditions of a selection, the columns that they read, and the keys that its filter names."""
    terms, columns = selection.terms, frozenset({"start_time_ns", "duration_ns"})
    if not selection.filter.strip():
        return terms, columns, set()
    try:
        tree = parse_filter(selection.filter)
        compiled = compile_filter(pins_of(session, Signal.SPANS, tree), Signal.SPANS, matching.known)
    except FilterError as error:
        raise BadQuestionError(f"The filter can't be understood: {error}", field=parameter, hint=error.hint) from error
    terms.append(Sql(compiled.sql, tuple(compiled.parameters)))
    return terms, columns | compiled.columns, {field.name for field in fields_of(tree)}


def _first_of(session: QuerySession, matching: Matching, release: str) -> int:
    """When the first span of a release started; BadQuestionError for one that has none."""
    first_ns = None
    if _VERSION_COLUMN in matching.known:
        is_release = Sql(f"{quote_identifier(_VERSION_COLUMN)} = ?", (release,))
        found = statement(
            "differences/first_of_release",
            relation=matching.relation(session, (_VERSION_COLUMN,)),
            where=all_of([matching.where, is_release]),
        )
        first_ns = rows(session, found)[0]["first_ns"]
    if first_ns is None:
        raise BadQuestionError(
            f"No span of this range has {VERSION} {release!r}.",
            field="release",
            hint=f"GET /api/v1/values?key={VERSION} lists those that there are",
            code="not_found",
        )
    return int(first_ns)
