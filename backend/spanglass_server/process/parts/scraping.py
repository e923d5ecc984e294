"""The scraping of one server, put together: jobs of the settings file, and the libraries that only they need."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from spanglass_server.scraping.reading import read_jobs
from spanglass_server.settings.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from spanglass_server.api.prometheus.status import Targets
    from spanglass_server.receive.intake import Intake
    from spanglass_server.scraping.jobs import Job
    from spanglass_server.settings.settings import Settings

_LIBRARIES = ("prometheus_client", "httpx")


def jobs_of(settings: Settings) -> tuple[Job, ...]:
    """What is to be scraped. Raises ``SettingsError``, also when libraries for it are missing."""
    jobs = read_jobs(settings.file)
    missing = [name for name in _LIBRARIES if jobs and find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"{settings.file}: scrape: needs {' and '.join(missing)}: pip install 'spanglass-server[scrape]', "
            "or take the part scrape: out of the file"
        )
    return jobs


@asynccontextmanager
async def scraping(jobs: Sequence[Job], intake: Intake) -> AsyncIterator[Targets]:
    """Scrape these jobs within the block; gives what tells of the targets."""
    if not jobs:
        yield tuple
        return
    from spanglass_server.scraping.scraper import Scraper  # noqa: PLC0415 - needs optional libraries

    scraper = Scraper(jobs, intake, time.time_ns)
    scraper.start()
    try:
        yield scraper.active
    finally:
        await scraper.stop()
