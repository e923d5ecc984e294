"""A quantity of a condition as PromQL, with what is known of its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

#: The labels that tell the rows of a table apart; None: all that series have.
Labels = tuple[str, ...] | None
#: Without a duration of its own, a quantity is looked at so far back for data that is gone.
REMEMBERED_MS = 3 * 3_600_000
#: The same for what is counted in a window. Windows of up to two hours are counted in steps of 15 s, so that what is
#: seen does not depend on the steps that are asked for.
COUNTED_MS = 3_600_000
#: What is counted is 0 for so long after the last of it; then there is no data.
ZERO_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Expression:
    """PromQL whose series are told apart by ``labels``; values are multiplied by ``factor`` to be in base units.

    ``shared`` is PromQL of the same for all values of the label ``picked[0]``, grouped by it as well: the rows in which
    it is ``picked[1]`` are those of ``promql``, so that rules that differ in this value need one evaluation. "" if
    there is none. ``offset_ms``: the expression is evaluated at so much earlier times. ``lookback_ms`` is how old a
    sample may be, 0 for the usual.
    """

    promql: str
    labels: Labels
    factor: float = 1.0
    shared: str = ""
    picked: tuple[str, str] = ("", "")
    offset_ms: int = 0
    lookback_ms: int = 0

    def before(self, offset_ms: int) -> Expression:
        """The same at earlier times."""
        return replace(self, offset_ms=self.offset_ms + offset_ms)

    def written(self, form: Callable[[str], str]) -> Expression:
        """The same with another text around it."""
        return replace(self, promql=form(self.promql), shared=form(self.shared) if self.shared else "")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule asks of its quantities that do not say it themselves."""

    window_ms: int
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A quantity: its values, and what else rules ask of it.

    ``unit`` is None where it is not known. ``samples`` is how many requests, records or points the values are made
    of; ``least`` how many of them there must be if the rule does not say, and ``least_part`` how many of those that
    make a share too large. ``present`` says where there was
    data in so many milliseconds. ``is_counted``: it is of what is counted, so that nothing is no lack of data.
    ``events`` are what ``min_samples`` of a rule counts, where these are not the ``samples``.
    """

    value: Expression
    unit: str | None
    column: int
    present: Callable[[int], Absence]
    samples: Expression | None = None
    least: int = 0
    least_part: int = 0
    pinned: tuple[tuple[str, str], ...] = ()
    is_counted: bool = False
    events: Expression | None = None

    @property
    def fixed_key(self) -> dict[str, str] | None:
        """The labels of the only key there can be, None where there can be others."""
        labels, pinned = self.value.labels, dict(self.pinned)
        if labels is None or not {*labels} <= {*pinned}:
            return None
        return {label: pinned[label] for label in labels}


@dataclass(frozen=True, slots=True)
class Absence:
    """Which keys have data: ``recent`` ones in the last so many seconds, ``known`` ones in the hours before as well.

    A key has a row where it has a value at a step, whatever the value.
    """

    recent: Expression
    known: Expression


def milliseconds(duration_ns: int) -> int:
    """A duration in milliseconds, one at least."""
    return max(1, duration_ns // NS_PER_MS)


def promql_duration(duration_ms: int) -> str:
    """A duration as PromQL has it."""
    return f"{duration_ms}ms"


def with_zeros(text: Callable[[str], str], window_ms: int) -> str:
    """PromQL of what is counted in a window, 0 for an hour after the last of it."""
    longer = promql_duration(max(ZERO_MS, 2 * window_ms))
    return f"({text(promql_duration(window_ms))}) or 0 * ({text(longer)})"
