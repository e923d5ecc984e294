"""What became of each instrumentation: in this process as it runs, or in an environment as ``doctor`` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How an instrumentation stands; docs/app/doctor.md says the same."""

    ACTIVE = "active"  # it instruments its library
    READY = "ready"  # it will, as soon as the application imports the library
    LATE = "late"  # it instruments what is made from now on: the library was in use before
    DISABLED = "disabled"  # by a setting
    REPLACED = "replaced"  # Spanglass does the same, or more, itself
    VERSION_CONFLICT = "version-conflict"  # the library's version is not one of those that it takes
    LIBRARY_MISSING = "library-missing"
    NOT_INSTALLED = "not-installed"  # the library is there, its instrumentation is not
    BROKEN = "broken"  # it can't be imported
    FAILED = "failed"  # it raised an exception when it was turned on


#: States that mean less telemetry than the user may expect.
TROUBLES = frozenset({State.LATE, State.VERSION_CONFLICT, State.NOT_INSTALLED, State.BROKEN, State.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentationStatus:
    """One instrumentation. Texts are empty where there is nothing to say."""

    name: str  # of its entry point, such as ``sqlalchemy``
    state: State
    reason: str = ""
    remedy: str = ""  # the command or the setting that changes it
    library: str = ""  # the distribution that it instruments
    library_version: str = ""
    wanted: str = ""  # the versions that it takes
    package: str = ""  # its own distribution
    package_version: str = ""


_states: dict[str, InstrumentationStatus] = {}


def states() -> list[InstrumentationStatus]:
    """Return what is known of each instrumentation in this process, by name; empty before ``configure``."""
    return [_states[name] for name in sorted(_states)]


def state_of(name: str) -> State | None:
    """Return the state of one, or None."""
    found = _states.get(name)
    return found.state if found is not None else None


def record(status: InstrumentationStatus) -> None:
    """Keep what became of one; the latest word counts."""
    _states[status.name] = status


def forget() -> None:
    """Forget all, when everything was taken back."""
    _states.clear()
