"""All targets, each with a task of its own: one that fails, hangs or floods stops no other."""

from __future__ import annotations

import asyncio
import logging
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.scraping.delivery import Delivery
from spanglass_server.scraping.fetching import Fetcher
from spanglass_server.scraping.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.receive.intake import Intake
    from spanglass_server.scraping.jobs import Job

_LOG = logging.getLogger(__name__)
_STOP_S: Final = 3.0  # for the ends of series, when the server stops


class Scraper:
    """Scrapes the targets of some jobs between ``start`` and ``stop``, both on one event loop."""

    def __init__(self, jobs: Sequence[Job], intake: Intake, clock_ns: Callable[[], int]) -> None:
        delivery = Delivery(intake)
        self._clock_ns = clock_ns
        self._fetchers = {job.job: Fetcher(job) for job in jobs}
        self.targets = [
            Target(job, address, self._fetchers[job.job], delivery, clock_ns) for job in jobs for address in job.targets
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; each target at a moment of its own within its interval, the same one after a restart."""
        self._tasks = [asyncio.create_task(self._run(target)) for target in self.targets]

    async def stop(self) -> None:
        """Stop, and end all series, so that nobody takes the last values for present ones."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_STOP_S):
                await asyncio.gather(*(target.end() for target in self.targets))
        except TimeoutError:
            _LOG.warning("some scraped series were not ended in time; they end once their last values are old")
        for fetcher in self._fetchers.values():
            await fetcher.close()

    async def _run(self, target: Target) -> None:
        interval_s = target.job.interval_s
        loop = asyncio.get_running_loop()
        due = loop.time() + self._first_s(target)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            try:
                await target.scrape()
            except Exception as error:  # noqa: BLE001 - a defect costs this scrape, and no other
                _LOG.exception("scraping %s of job %s failed", target.address, target.job.job)
                target.fail(f"the scraper failed ({error!r}); the log says why")
            late = max(0.0, loop.time() - due)
            due += interval_s * (1 + late // interval_s)  # a scrape that took too long costs the next ones

    def _first_s(self, target: Target) -> float:
        """How long to wait for a target's own moment in the interval."""
        share = zlib.crc32(f"{target.job.job} {target.address}".encode()) / 2**32
        interval_s = target.job.interval_s
        return (share * interval_s - self._clock_ns() / 1e9) % interval_s

    def active(self) -> list[dict[str, Any]]:
        """The targets in the shape of Prometheus' ``/api/v1/targets``."""
        return [_active(target) for target in self.targets]


def _active(target: Target) -> dict[str, Any]:
    job, health = target.job, target.health
    at = datetime.fromtimestamp(health.time_ms / 1000, UTC)
    return {
        "discoveredLabels": {
            "__address__": target.address,
            "__metrics_path__": job.path,
            "__scheme__": job.scheme,
            "job": job.job,
            **job.labels,
        },
        "labels": target.labels,
        "scrapePool": job.job,
        "scrapeUrl": job.url(target.address),
        "globalUrl": job.url(target.address),
        "lastError": health.error,
        "lastScrape": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lastScrapeDuration": health.duration_s,
        "health": health.state,
        "scrapeInterval": f"{job.interval_s:g}s",
        "scrapeTimeout": f"{job.timeout_s:g}s",
    }
