"""One target: what it says at each scrape, and which of its series have ended since."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from spanglass_server.ingest.prometheus.requests import WriteRequest, key_of
from spanglass_server.receive.compression import new_body
from spanglass_server.receive.status import RequestRefusedError
from spanglass_server.scraping.exposition import ExpositionError, Family, parse
from spanglass_server.scraping.fetching import ScrapeError
from spanglass_server.scraping.labelling import NAME, labelled, target_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass_server.ingest.prometheus.requests import Key
    from spanglass_server.scraping.delivery import Delivery
    from spanglass_server.scraping.exposition import Exemplar, Scraped
    from spanglass_server.scraping.fetching import Answer, Fetcher
    from spanglass_server.scraping.jobs import Job

_LOG = logging.getLogger(__name__)
_GAUGE: Final = Family("gauge", "", "")


@dataclass(slots=True)
class Health:
    """How a target is, as of its latest scrape."""

    state: Literal["unknown", "up", "down"] = "unknown"
    error: str = ""
    time_ms: int = 0
    duration_s: float = 0.0
    samples: int = 0


@dataclass(slots=True)
class _Scrape:
    """What one scrape found."""

    time_ms: int
    samples: list[Scraped]
    error: str = ""
    duration_s: float = 0.0


class Target:
    """Scrapes one target and delivers what it says. One scrape at a time."""

    def __init__(
        self, job: Job, address: str, fetcher: Fetcher, delivery: Delivery, clock_ns: Callable[[], int]
    ) -> None:
        self.job, self.address = job, address
        self.labels = target_labels(job, address)
        self.health = Health()
        self._fetcher = fetcher
        self._delivery = delivery
        self._clock_ns = clock_ns
        self._alive: set[Key] = set()  # series of the last scrape that the target gave no times
        self._exemplars: dict[Key, Exemplar] = {}

    async def scrape(self) -> None:
        """Ask the target once; whatever it does, the outcome is delivered, and ``health`` says it."""
        scrape = _Scrape(self._clock_ns() // 1_000_000, [])
        begun = time.monotonic()
        try:
            answer = await self._fetcher.fetch(self.address)
            scrape.samples = await asyncio.to_thread(self._read, answer)
        except ScrapeError as error:
            scrape.error = str(error)
        scrape.duration_s = time.monotonic() - begun
        body = await asyncio.to_thread(self._request, scrape)
        problem = await self._delivery.deliver(body, self, patience_s=self.job.interval_s - scrape.duration_s)
        wrong = scrape.error or problem
        if wrong and self.health.state != "down":
            _LOG.warning("%s of job %s can't be scraped: %s", self.address, self.job.job, wrong)
        if not wrong and self.health.state == "down":
            _LOG.info("%s of job %s is scraped again", self.address, self.job.job)
        self.health = Health("down" if wrong else "up", wrong, scrape.time_ms, scrape.duration_s, len(scrape.samples))

    def fail(self, error: str) -> None:
        """Say why a scrape came to nothing."""
        self.health = Health("down", error, self._clock_ns() // 1_000_000)

    async def end(self) -> None:
        """End all series: nobody scrapes the target any more."""
        if not self._alive:
            return
        request = WriteRequest()
        request.end(sorted(self._alive), self._clock_ns() // 1_000_000)
        self._alive = set()
        await self._delivery.deliver(request.body(), self, patience_s=0)

    def _read(self, answer: Answer) -> list[Scraped]:
        """The samples of an answer."""
        limit = self.job.max_body_bytes
        try:
            body = new_body(answer.content_encoding, limit)
            body.feed(answer.content)
            return parse(body.finish(), answer.content_type)
        except RequestRefusedError:
            raise ScrapeError(
                f"the answer is damaged, or larger than {limit} bytes after decompression (key max_body)"
            ) from None
        except ExpositionError as error:
            raise ScrapeError(str(error)) from None

    def _request(self, scrape: _Scrape) -> bytes:
        """A request with the scrape's samples, what is said about the scrape itself, and the ends of series."""
        request = WriteRequest()
        alive: set[Key] = set()
        exemplars: dict[Key, Exemplar] = {}
        kept = 0
        for sample in scrape.samples:
            labels = labelled(sample.name, sample.labels, self.labels, self.job)
            if labels is None:
                continue
            key = key_of(labels)
            if key in alive:  # a target may not give a series twice; the first one stays
                continue
            kept += 1
            series = request.add(key, sample.family)
            at = scrape.time_ms if sample.time_ms is None else sample.time_ms
            series.samples.add(value=sample.value, timestamp=at, start_timestamp=sample.start_ms)
            if sample.time_ms is None:
                alive.add(key)
            if sample.exemplar is not None:
                exemplars[key] = sample.exemplar
                if self._exemplars.get(key) != sample.exemplar:
                    request.exemplar(series, sample.exemplar, at)
        new = len(alive - self._alive)
        for name, value in self._report(scrape, kept, new):
            key = key_of({NAME: name, **self.labels})
            alive.add(key)
            request.add(key, _GAUGE).samples.add(value=value, timestamp=scrape.time_ms)
        request.end(sorted(self._alive - alive), scrape.time_ms)
        self._alive, self._exemplars = alive, exemplars
        return request.body()

    @staticmethod
    def _report(scrape: _Scrape, kept: int, new: int) -> Iterable[tuple[str, float]]:
        """The series that tell of the scrape itself, under Prometheus' names."""
        return (
            ("up", 0.0 if scrape.error else 1.0),
            ("scrape_duration_seconds", scrape.duration_s),
            ("scrape_samples_scraped", float(len(scrape.samples))),
            ("scrape_samples_post_metric_relabeling", float(kept)),
            ("scrape_series_added", float(new)),
        )
