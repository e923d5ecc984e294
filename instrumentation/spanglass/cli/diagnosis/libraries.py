"""The table of instrumentations of this environment, and what is worth saying about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.cli.diagnosis.loading import failures
from spanglass.cli.diagnosis.missing import Missing, missing, unfit
from spanglass.instrumentors.discovery import inspect
from spanglass.instrumentors.status import InstrumentationStatus, State
from spanglass.instrumentors.web import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass.settings.table import Settings

_AREA = "instrumentations"
_SEVERITY = {
    State.VERSION_CONFLICT: Severity.WARNING,
    State.NOT_INSTALLED: Severity.WARNING,
    State.BROKEN: Severity.PROBLEM,
    State.DISABLED: Severity.NOTE,
}


def table(settings: Settings) -> list[InstrumentationStatus]:
    """Return every instrumentation that is installed, or could be, by name. Imports those that are ready, elsewhere."""
    found = inspect(settings)
    broken = failures([each.name for each in found if each.state is State.READY and each.name not in OWN])
    checked = [_broken(each, broken[each.name]) if each.name in broken else each for each in found]
    return sorted([*checked, *_not_installed(settings)], key=lambda each: each.name)


def findings(statuses: Sequence[InstrumentationStatus]) -> Iterator[Finding]:
    """Return what is left out, and how many are ready."""
    ready = [each.name for each in statuses if each.state is State.READY]
    if ready:
        yield Finding(_AREA, Severity.OK, f"{len(ready)} ready: {', '.join(ready)}")
    missed = [each for each in statuses if each.state is State.NOT_INSTALLED]
    if missed:
        names = ", ".join(each.library if each.library != "python" else each.name for each in missed)
        text = f"{len(missed)} without their instrumentation: {names}"
        yield Finding(_AREA, Severity.WARNING, text, "spanglass bootstrap")
    disabled = [each for each in statuses if each.state is State.DISABLED]
    if disabled:
        text = f"{len(disabled)} disabled by settings: {', '.join(each.name for each in disabled)}"
        yield Finding(_AREA, Severity.NOTE, text, disabled[0].remedy if len(disabled) == 1 else "")
    for each in statuses:
        if each.state in {State.VERSION_CONFLICT, State.BROKEN}:
            word = "can't be imported: " if each.state is State.BROKEN else ""
            yield Finding(_AREA, _SEVERITY[each.state], f"{each.name}: {word}{each.reason}", each.remedy)


def _broken(status: InstrumentationStatus, error: str) -> InstrumentationStatus:
    remedy = (
        f"pip install --upgrade {status.package}, or leave it off: SPANGLASS_DISABLED_INSTRUMENTATIONS={status.name}"
    )
    return replace(status, state=State.BROKEN, reason=error, remedy=remedy)


def _not_installed(settings: Settings) -> Iterator[InstrumentationStatus]:
    if not settings.instrument:
        return
    for each in missing():
        if each.name not in settings.disabled_instrumentations:
            yield _absent(each, State.NOT_INSTALLED, f"{each.package} is not installed", "spanglass bootstrap")
    for each in unfit():
        if each.name not in settings.disabled_instrumentations:
            yield _absent(each, State.VERSION_CONFLICT, each.conflict, f"pip install '{each.library}{each.wanted}'")


def _absent(each: Missing, state: State, reason: str, remedy: str) -> InstrumentationStatus:
    return InstrumentationStatus(
        name=each.name,
        state=state,
        reason=reason,
        remedy=remedy,
        library=each.library,
        library_version=each.library_version,
        wanted=each.wanted,
        package=each.package,
    )
