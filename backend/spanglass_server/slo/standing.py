"""How an objective stands: its budget, how fast that burns, and what that means in a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from spanglass_server.alerting.evaluation.quantities.measures import LEAST_FAILED
from spanglass_server.slo.budget import BURN_WINDOWS, Budget, BurnRate, Forecast, budget_now, burn_rates, forecast
from spanglass_server.slo.counting.minutes import HOUR
from spanglass_server.slo.rules import burns_of
from spanglass_server.slo.windows import DAY_HOURS, Span, longest_hours, window_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forms.book import Found
    from spanglass_server.slo.counting.ledger import View
    from spanglass_server.slo.model import Objective

#: no_data: no event in the window; exhausted: the budget is used up; burning: at the pace of one of its alert rules.
Status = Literal["no_data", "exhausted", "burning", "ok", "off"]
STATUSES: Final[tuple[Status, ...]] = ("exhausted", "burning", "no_data", "ok", "off")
_LONGEST: Final = max(BURN_WINDOWS.values())
#: Besides the window, what a forecast looks at.
_AHEAD_HOURS: Final = 3 * DAY_HOURS


@dataclass(frozen=True, slots=True)
class Standing:
    """An objective now.

    ``burns`` are by window; None where it has no event. ``since`` is the first minute that is counted, ``last_event``
    the minute of the newest event in three days; None for none.
    """

    found: Found[Objective]
    status: Status
    window: Span
    budget: Budget
    burns: dict[str, float | None]
    forecast: Forecast | None
    since: int | None
    last_event: int | None

    @property
    def is_partial(self) -> bool:
        """Whether counting began within the window."""
        return self.since is None or self.since > self.window.first * HOUR


def standings(view: View, several: Sequence[Found[Objective]], now: int) -> list[Standing]:
    """How objectives stand in the minute ``now``."""
    hour = now // HOUR
    counted = [found for found in several if found.value.enabled]
    objectives = [found.value for found in counted]
    longest = max((longest_hours(each) for each in objectives), default=0)
    hours = view.hours(objectives, hour - longest - _AHEAD_HOURS, hour + 1)
    minutes = view.minutes(objectives, now - _LONGEST, now + 1)
    found = []
    for each in several:
        objective = each.value
        window = window_at(objective, hour)
        if not objective.enabled:
            found.append(Standing(each, "off", window, Budget(0, 0, 0, None, None), {}, None, None, None))
            continue
        own = minutes[objective.key]
        budget, burns = budget_now(objective, hours[objective.key], hour), burn_rates(objective, own, now)
        ahead = forecast(objective, hours[objective.key], hour)
        used = np.flatnonzero(own.total)
        found.append(
            Standing(
                each,
                _status(each, budget, burns),
                window,
                budget,
                {name: burn.rate for name, burn in burns.items()},
                ahead,
                view.since(objective),
                own.first + int(used[-1]) if len(used) else None,
            )
        )
    return found


def _status(found: Found[Objective], budget: Budget, burns: dict[str, BurnRate]) -> Status:
    if budget.left is None:
        return "no_data"
    if budget.left <= 0:
        return "exhausted"
    for burn in burns_of(found.value):
        both = burns[burn.long], burns[burn.short]
        if both[0].total >= found.value.min_events and all(_is_faster(each, burn.rate) for each in both):
            return "burning"
    return "ok"


def _is_faster(burn: BurnRate, rate: float) -> bool:
    """Whether a budget burns faster than it may, with as many bad events as an alert rule needs."""
    return burn.rate is not None and burn.rate > rate and burn.bad > LEAST_FAILED - 0.5  # estimates are no whole ones
