"""How the attempt to turn an instrumentation on ended, in words, and the one line of the log about it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass.instrumentors import status
from spanglass.instrumentors.late import holders
from spanglass.instrumentors.status import TROUBLES, InstrumentationStatus, State

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_WORDS = 300  # characters of what an exception says
_MAX_HOLDERS = 3  # modules named, of those that hold an original
_LATE_REMEDY = "call spanglass.configure() before these imports, or start the application with `spanglass run`"

_logger = logging.getLogger("spanglass")


def tell(outcome: InstrumentationStatus) -> None:
    """Keep an outcome, and log one line if it means less telemetry than expected."""
    status.record(outcome)
    if outcome.state in TROUBLES:
        remedy = f"; {outcome.remedy}" if outcome.remedy else ""
        _logger.warning("instrumentation %s: %s: %s%s", outcome.name, outcome.state.value, outcome.reason, remedy)


def not_loaded(found: InstrumentationStatus, error: BaseException) -> InstrumentationStatus:
    """Make the status of an instrumentation that can't be imported."""
    if isinstance(error, ModuleNotFoundError) and not found.library:  # it says nowhere what it instruments
        return replace(found, state=State.LIBRARY_MISSING, reason=f"there is no module {error.name}")
    return replace(found, state=State.BROKEN, reason=words(error), remedy=_update(found))


def failed(found: InstrumentationStatus, error: BaseException) -> InstrumentationStatus:
    """Make the status of an instrumentation that raised an exception when it was turned on."""
    return replace(found, state=State.FAILED, reason=words(error), remedy=_update(found))


def turned_on(found: InstrumentationStatus, originals: Mapping[str, Any]) -> InstrumentationStatus:
    """Make the status of one that is on; ``originals`` are what it replaced, as far as that was imported before."""
    held = holders(originals)
    if not held:
        return replace(found, state=State.ACTIVE)
    reason = "; ".join(f"{path} was imported before by {_listed(modules)}" for path, modules in held.items())
    return replace(found, state=State.LATE, reason=reason, remedy=_LATE_REMEDY)


def words(error: BaseException) -> str:
    """Put an exception into one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_WORDS].removesuffix(":")


def _update(found: InstrumentationStatus) -> str:
    how = f"pip install --upgrade {found.package}, or " if found.package else ""
    return f"{how}leave it off: SPANGLASS_DISABLED_INSTRUMENTATIONS={found.name}"


def _listed(modules: list[str]) -> str:
    more = len(modules) - _MAX_HOLDERS
    return ", ".join(sorted(modules)[:_MAX_HOLDERS]) + (f" and {more} more" if more > 0 else "")
