"""``spanglass import``: files into a server, over OTLP."""

from __future__ import annotations

import json
import sys
import zlib
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.send import left_out, post
from spanglass.cli.transfer.progress import Progress
from spanglass.cli.transfer.sources import files_of, requests
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spanglass.cli.client import Client, Response
    from spanglass.cli.transfer.sources import Posted


def command(argv: Sequence[str]) -> int:
    """Import files; 4 when the server left some of the records out."""
    parser = options.parser(
        "import", "Post exports, OTLP/JSON and Jaeger's JSON to a server.", token_variable=options.INGEST_TOKEN
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="PATH",
        help="exports of spanglass export (files or their directory), files of OTLP/JSON, or of Jaeger's JSON",
    )
    parser.add_argument("--restart", action="store_true", help="import all of files of which a part was imported")
    parser.add_argument(
        "--parallel", type=options.positive, default=2, metavar="N", help="how many requests at once (default 2)"
    )
    parser.add_argument(
        "--retry-for", type=float, default=60.0, metavar="SECONDS", help="how long to retry a request (default 60)"
    )
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    tally = _Tally()
    with Progress("imported", 0) as progress:
        paths = dict.fromkeys(files_of(arguments.files))
        files = [_File(client, path, arguments.retry_for, progress, tally) for path in paths]
        for file in files:
            file.post_all(arguments.parallel, arguments.restart)
    for file in files:
        file.forget()
    counts = ", ".join(show.counted(count, noun) for noun, count in tally.sent.items()) or "nothing new"
    rate = f" ({progress.records / max(progress.elapsed_s, 1e-3):,.0f} records a second)" if progress.records else ""
    print(f"imported {counts}{rate}" + (f"; {tally.lost:,} left out by the server" if tally.lost else ""))
    if tally.sent:
        print(
            "spanglass import: what was imported in the last 10 minutes is recognised and stored once; "
            "later, or in another form, it is stored again",
            file=sys.stderr,
        )
    return Exit.REJECTED if tally.lost else Exit.OK


class _Tally:
    """What was sent, by its noun, and how much of it the server left out."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.lost = 0


class _Arrived(NamedTuple):
    """The requests of a file that have arrived without a gap: how many, and the CRC-32 of their bodies in turn.

    Another version may cut a file otherwise: then the same number of its requests has another checksum.
    """

    requests: int = 0
    checksum: int | None = 0  # None: written by a version that had none
    is_whole: bool = False

    def and_then(self, request: Posted) -> _Arrived:
        """With one request more."""
        return _Arrived(self.requests + 1, zlib.crc32(request.body, self.checksum or 0))


class _File:
    """A file on its way. How many of its requests have arrived stands beside it until all files of a command have."""

    def __init__(self, client: Client, path: Path, retry_for_s: float, progress: Progress, tally: _Tally) -> None:
        self._client = client
        self._path = path
        self._retry_for_s = retry_for_s
        self._progress = progress
        self._tally = tally
        self._beside = path.with_name(f".{path.name}.imported")

    def post_all(self, at_once: int, restart: bool) -> None:  # noqa: FBT001 - an option
        """Post what has not arrived, some requests at once; counted are those that arrived without a gap."""
        if not self._path.is_file():
            raise CliError(f"{self._path} is no file", "name a file, or the directory of an export")
        arrived = _Arrived() if restart else self._arrived()
        if arrived.is_whole:
            return
        rest = self._rest(arrived)
        waiting: deque[tuple[Posted, Future[Response]]] = deque()
        with ThreadPoolExecutor(at_once, thread_name_prefix="import") as threads:
            try:
                for request in rest:
                    waiting.append((request, threads.submit(self._post, request)))
                    if len(waiting) > at_once:
                        arrived = self._take(*waiting.popleft(), arrived)
                while waiting:
                    arrived = self._take(*waiting.popleft(), arrived)
            except BaseException:
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        self._write(arrived._replace(is_whole=True))

    def _rest(self, arrived: _Arrived) -> Iterator[Posted]:
        """The requests behind those that have arrived, which are made again and have to be the same."""
        made = requests(self._path)
        again = _Arrived()
        if arrived.checksum is not None:
            for request in islice(made, arrived.requests):
                again = again.and_then(request)
        if again != arrived:
            raise CliError(
                f"{self._path}: another version of spanglass imported a part of it, in other requests, so where to go "
                "on is unknown",
                "finish with that version; or --restart imports all of it, and that part is then stored twice",
            )
        return made

    def forget(self) -> None:
        """Remove what stands beside it."""
        self._beside.unlink(missing_ok=True)

    def _post(self, request: Posted) -> Response:
        return post(self._client, request, request.content_type, self._retry_for_s)

    def _take(self, request: Posted, answer: Future[Response], arrived: _Arrived) -> _Arrived:
        """Count a request once the server has it."""
        lost, message = left_out(answer.result(), request)
        self._tally.sent[request.kind.noun] += request.records
        self._tally.lost += lost
        if lost or message:
            note = f"{lost:,} left out" if lost else "a warning"
            print(f"spanglass import: {request.place}: {note}: {terminal_text(message)}", file=sys.stderr)
        self._progress.add(request.records, len(request.body))
        arrived = arrived.and_then(request)
        self._write(arrived)
        return arrived

    def _write(self, arrived: _Arrived) -> None:
        try:
            far = {"requests": arrived.requests, "checksum": arrived.checksum, "whole": arrived.is_whole}
            told = json.dumps({**self._told(), **far})
            self._beside.write_text(told, encoding="utf-8")
        except OSError as error:
            hint = "how far an import is stands beside its files"
            raise CliError(f"{self._beside} can't be written: {error.strerror}", hint) from None

    def _told(self) -> dict[str, object]:
        about = self._path.stat()
        return {"url": self._client.url, "size": about.st_size, "changed_ns": about.st_mtime_ns}

    def _arrived(self) -> _Arrived:
        """What has arrived before, at this server and of this file as it is."""
        try:
            told = json.loads(self._beside.read_text(encoding="utf-8"))
            count, checksum, is_whole = int(told.pop("requests")), told.pop("checksum", None), told.pop("whole", False)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return _Arrived()
        return _Arrived(count, checksum, is_whole) if told == self._told() and (count or is_whole) else _Arrived()
