"""Health as figures, beside what of the host is in use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spanglass.api.analysis.figures import Figures
from spanglass.errors import ResourceError
from spanglass.guard import report

if TYPE_CHECKING:
    from spanglass.api.analysis.usage import HostUsage
    from spanglass.api.health.report import HealthReport

_STATUS = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0}


def figures_of(health: HealthReport, time_ns: int) -> Figures:
    """A health report as figures.

    ``health_status`` is 1 for healthy, 0.5 for degraded, 0 for unhealthy; ``failed_checks`` counts those that are not
    healthy, and ``check_<name>`` and ``check_<name>_time`` are one check's status and duration.
    """
    failed = [each for each in health.checks if each.status != "healthy"]
    numbers = {"health_status": _STATUS[health.status], "failed_checks": float(len(failed))}
    units = {}
    for each in health.checks:
        numbers[f"check_{each.name}"] = _STATUS[each.status]
        numbers[f"check_{each.name}_time"] = each.duration_s
        units[f"check_{each.name}_time"] = "s"
    return Figures(numbers, units, {}, time_ns)


async def with_usage(figures: Figures, usage: HostUsage) -> Figures:
    """The figures with those of the host, read in a thread; without them where it tells nothing."""
    try:
        return figures.with_more(await asyncio.to_thread(usage.read))
    except ResourceError as error:
        report("measure the host", error)
        return figures
