"""What rows of the table of measures are made of: a measure, and selectors of the series that it is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.measures.kinds import Kind

SERVICE = ("service_name",)
HOST = ("host_name",)
OBJECTIVE = ("slo",)


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: ``per`` is what it is of, ``service``, ``host`` or ``objective``."""

    name: str
    help: str
    unit: str
    per: str
    kind: Kind


def of_service(name: str, unit: str, text: str, kind: Kind) -> Measure:
    """Make the row of a measure that services have."""
    return Measure(name, text, unit, "service", kind)


def of_host(name: str, unit: str, text: str, kind: Kind) -> Measure:
    """Make the row of a measure that hosts have."""
    return Measure(name, text, unit, "host", kind)


def of_objective(name: str, unit: str, text: str, kind: Kind) -> Measure:
    """Make the row of a measure that objectives have."""
    return Measure(name, text, unit, "objective", kind)


def rate(selector: str) -> str:
    """The rate of a counter, per service or host."""
    return f"sum by (<ids>) (rate({selector}[<w>]<o>))"


def rates(*selectors: str) -> tuple[str, ...]:
    """The rates of several."""
    return tuple(map(rate, selectors))


def once_a_host(text: str) -> str:
    """What each service of a host tells of it counts once."""
    return f"max by (<ids>) (sum by (<ids>, job, instance) ({text}))"


def host_rate(selector: str) -> tuple[str, ...]:
    """The rate of a counter of the host."""
    return (once_a_host(f"rate({selector}[<w>]<o>)"),)
