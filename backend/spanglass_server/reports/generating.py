"""Making a report: its sections at once, few questions at a time; one that fails is tried again, then says so."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from spanglass_server.reports.asking import Questions
from spanglass_server.reports.errors import AskError, ReportFailedError
from spanglass_server.reports.kinds import KINDS, UNKNOWN, title_of
from spanglass_server.reports.model import Progress
from spanglass_server.supervision import in_words
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.query.answers import TimeRange
    from spanglass_server.reports.asking import Ask
    from spanglass_server.reports.kinds import Part
    from spanglass_server.reports.model import Report, Scope, Section

_LOG = logging.getLogger(__name__)
#: What may go better a moment later; any other answer stays as it is.
_PASSING: Final = frozenset({"timeout", "out_of_memory", "unavailable"})
_TRIES: Final = 3


async def generate(
    scope: Scope, ask: Ask, now_ns: int, told: Callable[[Progress], None], pause_s: float = 1.0
) -> Report:
    """Make a report; ``told`` hears how far it is. ``ReportFailedError`` when no section could be made.

    A section whose question failed for a passing reason is tried three times, with ``pause_s`` and twice that between.
    """
    questions = Questions(ask, scope)
    kind = KINDS[scope.kind]
    parts = [UNKNOWN, *(part for part in kind.parts if part.of_a_service)] if scope.service else list(kind.parts)
    making = [asyncio.ensure_future(_section(part, questions.of_section(), pause_s)) for part in parts]
    told(_progress(parts, making))
    try:
        for next_one in asyncio.as_completed(making):
            await next_one
            told(_progress(parts, making))
    finally:
        for each in making:
            each.cancel()
        questions.end()
    made = [each.result() for each in making]
    sections = [section for section in made if section["blocks"] or section["problem"]]
    problems = [section["problem"] for section in sections if section["problem"]]
    if problems and len(problems) == len(sections):
        raise ReportFailedError(problems[0])
    return {
        "kind": scope.kind,
        "title": f"{title_of(scope)}: {scope.service}" if scope.service else title_of(scope),
        "service": scope.service or None,
        "window": _window(scope.start_ns, scope.end_ns),
        "before": _window(*scope.before),
        "made_time": format_time(now_ns),
        "sections": sections,
    }


def _progress(parts: Sequence[Part], making: Sequence[asyncio.Task[Section]]) -> Progress:
    """How many are done, and the first that is not."""
    waits = [part.title for part, task in zip(parts, making, strict=True) if not task.done()]
    return Progress(len(parts) - len(waits), len(parts), waits[0] if waits else "")


async def _section(part: Part, questions: Questions, pause_s: float) -> Section:
    problem = None
    for tried in range(1, _TRIES + 1):
        try:
            blocks = await part.build(questions)
        except AskError as error:
            problem = f"{part.title} could not be read: {error}"
            if error.code not in _PASSING or tried == _TRIES:
                break
            await asyncio.sleep(pause_s * tried)
        except Exception as error:  # noqa: BLE001 - a defect is the end of one section, not of all
            _LOG.error("section %s of a report could not be made", part.id, exc_info=error)
            problem = f"{part.title} could not be made: a mistake of the server ({in_words(error)}); its log says where"
            break
        else:
            return {"id": part.id, "title": part.title, "blocks": blocks, "problem": None, "asked": questions.asked}
    return {"id": part.id, "title": part.title, "blocks": [], "problem": problem, "asked": questions.asked}


def _window(start_ns: int, end_ns: int) -> TimeRange:
    return {"start_time": format_time(start_ns), "end_time": format_time(end_ns)}
