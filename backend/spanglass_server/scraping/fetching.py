"""Asking one target: HTTP with a limit of time and of bytes."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import httpx

from spanglass_server.scraping.exposition import ACCEPT

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.scraping.jobs import Job

_AGENT: Final = f"spanglass/{version('spanglass')}"
_OK: Final = 200
_MAX_TOKEN_BYTES: Final = 4096


class ScrapeError(Exception):
    """A target did not give its metrics; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target answered, as it came."""

    content: bytes
    content_type: str
    content_encoding: str


class Fetcher:
    """The HTTP client of a job's targets, with connections that stay open."""

    def __init__(self, job: Job) -> None:
        self._job = job
        context = ssl.create_default_context(cafile=job.ca_file) if job.scheme == "https" else False
        self._client = httpx.AsyncClient(verify=context, trust_env=False, follow_redirects=True, timeout=None)  # noqa: S113 - fetch has one for all

    async def fetch(self, target: str) -> Answer:
        """Ask a target. Raises ``ScrapeError``."""
        job = self._job
        try:
            async with asyncio.timeout(job.timeout_s):
                return await self._get(job.url(target))
        except TimeoutError:
            raise ScrapeError(f"no whole answer within {job.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ScrapeError(f"{type(error).__name__}: {error}") from None

    async def _get(self, url: str) -> Answer:
        async with self._client.stream("GET", url, headers=self._headers()) as response:
            if response.status_code != _OK:
                raise ScrapeError(f"the target answered {response.status_code} {response.reason_phrase}".rstrip())
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > self._job.max_body_bytes:
                    raise ScrapeError(f"the answer is larger than {self._job.max_body_bytes} bytes (key max_body)")
                parts.append(part)
            kind, encoding = (response.headers.get(f"content-{name}", "") for name in ("type", "encoding"))
            return Answer(b"".join(parts), kind, encoding)

    def _headers(self) -> dict[str, str]:
        headers = {
            "accept": ACCEPT,
            "accept-encoding": "gzip",
            "user-agent": _AGENT,
            "x-prometheus-scrape-timeout-seconds": f"{self._job.timeout_s:g}",
        }
        if self._job.bearer_token_file is not None:
            headers["authorization"] = f"Bearer {_read_token(self._job.bearer_token_file)}"
        return {**headers, **{name.lower(): value for name, value in self._job.headers.items()}}

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _read_token(path: Path) -> str:
    """A token from its file, read each time: whoever writes it may change it."""
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_TOKEN_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ScrapeError(f"bearer_token_file {path} can't be read: {error}") from None
