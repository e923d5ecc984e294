"""Parts of an export: asked for, a few at once, and written to files that appear when they are whole."""

from __future__ import annotations

import os
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, BinaryIO

from spanglass.cli.client import UnreachableError
from spanglass.cli.errors import CliError
from spanglass.cli.transfer.job import KEPT, partial_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spanglass.cli.client import Client
    from spanglass.cli.transfer.job import Job, Part
    from spanglass.cli.transfer.progress import Progress

#: What stands before each frame of the server's answer: how long it is, and how many records are in it.
_FRAME = struct.Struct(">II")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0


class _StoppedError(Exception):
    """Another part has failed, or somebody has ended the command."""


class _Furthest:
    """How much of a part has come in any attempt, and when it came, on the monotonic clock."""

    def __init__(self) -> None:
        self.size, self.at_s = 0, time.monotonic()

    def reached(self, size: int) -> None:
        """Note how much has come; an answer that is always cut at one place is no progress."""
        if size > self.size:
            self.size, self.at_s = size, time.monotonic()


class Fetcher:
    """Gets the parts of a job. ``parameters`` are those of every part; ``retry_for_s`` is how long one is tried."""

    def __init__(self, client: Client, job: Job, parameters: Mapping[str, Any], retry_for_s: float) -> None:
        self._client = client
        self._job = job
        self._parameters = parameters
        self._retry_for_s = retry_for_s
        self._stopped = threading.Event()
        self._failure: BaseException | None = None

    def fetch_all(self, at_once: int, progress: Progress) -> None:
        """Get what is missing, ``at_once`` parts at a time; after each the job is saved. The first error is raised."""
        with ThreadPoolExecutor(at_once, thread_name_prefix="export") as threads:
            waiting = {threads.submit(self._fetch, part, progress): part for part in self._job.missing()}
            try:
                for each in as_completed(waiting):
                    waiting[each].records, waiting[each].size = each.result()
                    self._job.save()
            except BaseException as error:
                self._stopped.set()
                threads.shutdown(wait=True, cancel_futures=True)
                if self._failure is not None and self._failure is not error:
                    raise self._failure from None
                raise

    def _fetch(self, part: Part, progress: Progress) -> tuple[int, int]:
        """Get a part; how many records and bytes it has. One that fails stops the others, which are not begun."""
        try:
            return self._repeated(part, progress)
        except _StoppedError:
            raise
        except BaseException as error:
            self._failure = self._failure or error
            self._stopped.set()
            raise

    def _repeated(self, part: Part, progress: Progress) -> tuple[int, int]:
        """Try again if the answer is cut, or none comes, for a time after the last bytes that had not come before."""
        most, wait_s = _Furthest(), _FIRST_WAIT_S
        while True:
            self._check()
            try:
                return self._attempt(part, progress, most)
            except UnreachableError:
                if time.monotonic() + wait_s > most.at_s + self._retry_for_s:
                    raise
            self._stopped.wait(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _attempt(self, part: Part, progress: Progress, most: _Furthest) -> tuple[int, int]:
        """Write a part beside its place, and put it there when it is whole."""
        path = self._job.path(part)
        partial = partial_of(path)
        try:
            with partial.open("wb") as file:
                records = self._write(file, part, progress, most)
                file.flush()
                os.fsync(file.fileno())
            return records, self._put(partial, path, records, part)
        except OSError as error:
            raise CliError(f"{path} can't be written: {error.strerror or error}") from None
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, file: BinaryIO, part: Part, progress: Progress, most: _Furthest) -> int:
        """Write what the server sends; how many records it was. What has to be done again is not counted."""
        asked = {**asked_for(self._parameters, part.signal), **_range(self._job), "part": part.part}
        records = size = 0
        try:
            for content, count in frames(self._client, asked):
                file.write(content)
                records, size = records + count, size + len(content)
                progress.add(count, len(content))
                most.reached(size)
                self._check()
        except BaseException:
            progress.add(-records, -size)
            raise
        return records

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError

    def _put(self, partial: Path, path: Path, records: int, part: Part) -> int:
        """Put the file in its place; of empty ones only a signal's first is kept, for its columns."""
        if not records and part.number > 1:
            return 0
        size = partial.stat().st_size
        partial.replace(path)
        return size


def asked_for(parameters: Mapping[str, Any], signal: str) -> dict[str, Any]:
    """What is asked of a signal: what the server keeps itself has no filter."""
    return {**parameters, "signal": signal, **({"filter": None} if signal in KEPT else {})}


def _range(job: Job) -> dict[str, str]:
    return {"start": job.window["start_time"], "end": job.window["end_time"]}


def frames(client: Client, parameters: Mapping[str, Any]) -> Iterator[tuple[bytes, int]]:
    """Yield the pieces of an exported file with how many records each has; UnreachableError if it is cut."""
    with client.streaming("/export", {**parameters, "framing": "framed"}) as answer:
        while True:
            length, records = _FRAME.unpack(_exactly(answer, _FRAME.size))
            if not length:
                return
            yield _exactly(answer, length), records


def _exactly(answer: BinaryIO, size: int) -> bytes:
    content = answer.read(size)
    if len(content) != size:
        raise UnreachableError("the server's answer was cut", "its log may say why; try again")
    return content
