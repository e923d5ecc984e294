"""``spanglass send``: post OTLP/JSON files to a server."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from spanglass.cli import options
from spanglass.cli.client import RETRYABLE, Response, UnreachableError
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.transfer.answers import partial_success, status_message
from spanglass.cli.transfer.otlp_files import read_requests
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spanglass.cli.client import Client
    from spanglass.cli.transfer.otlp_files import Kind

_OK = range(200, 300)
_MAX_WAIT_S = 30.0
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"


class Posting(Protocol):
    """A request to post: of which signal, its body, and the place it comes from, for errors."""

    @property
    def kind(self) -> Kind:
        """The signal."""

    @property
    def body(self) -> bytes:
        """What is posted."""

    @property
    def place(self) -> str:
        """Where it comes from."""


def command(argv: Sequence[str]) -> int:
    """Post files; 4 when the server left some of the records out."""
    parser = options.parser("send", "Post OTLP/JSON files to a server.", token_variable=options.INGEST_TOKEN)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="OTLP/JSON or JSON lines, plain or .gz; - is standard input"
    )
    parser.add_argument(
        "--retry-for", type=float, default=60.0, metavar="SECONDS", help="how long to retry a request (default 60)"
    )
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    sent: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for name in arguments.files:
        with _progress(name) as advance:
            for request in read_requests(name, advance):
                response = post(client, request, _JSON, arguments.retry_for)
                lost, message = left_out(response, request)
                sent[request.kind.noun] += request.records
                rejected[request.kind.noun] += lost
                if lost or message:
                    note = f"{lost:,} left out" if lost else "a warning"
                    print(f"spanglass send: {request.place}: {note}: {terminal_text(message)}", file=sys.stderr)
    counts = ", ".join(show.counted(count, noun) for noun, count in sent.items()) or "nothing: the files are empty"
    in_all = sum(rejected.values())
    print(f"sent {counts}" + (f"; {in_all:,} left out by the server" if in_all else ""))
    return Exit.REJECTED if in_all else Exit.OK


def post(client: Client, request: Posting, content_type: str, retry_for_s: float) -> Response:
    """Post until the server takes it, it refuses it for good, or the time is over."""
    deadline = time.monotonic() + retry_for_s
    wait_s = 1.0
    while True:
        error: CliError
        try:
            response = client.request("POST", request.kind.path, request.body, {"Content-Type": content_type})
        except UnreachableError as unreachable:
            error = unreachable
        else:
            if response.status in _OK:
                return response
            error = _refusal(client, response, request)
            if response.status not in RETRYABLE:
                raise error
            wait_s = _retry_after_s(response, wait_s)
        if time.monotonic() + wait_s > deadline:
            raise error
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, _MAX_WAIT_S)


def _refusal(client: Client, response: Response, request: Posting) -> CliError:
    """Read the refusal: a google.rpc.Status, or an error of whatever stands before the server."""
    is_protobuf = response.headers.get("content-type") == _PROTOBUF
    try:
        told = status_message(response.body) if is_protobuf else json.loads(response.body)["message"]
        message = terminal_text(str(told))
    except (ValueError, KeyError, TypeError):
        described = client.error(response)
        return CliError(f"{request.place}: {described}", *described.details)
    hints = (
        [f"give the server's token with --token, or in {options.INGEST_TOKEN}"] if response.status in {401, 403} else []
    )
    return CliError(f"{request.place}: the server refused it ({response.status}): {message}", *hints)


def _retry_after_s(response: Response, otherwise_s: float) -> float:
    """Take the seconds of Retry-After; its other form, a date, is rare and taken as absent."""
    text = response.headers.get("retry-after", "")
    return min(float(text), _MAX_WAIT_S) if text.isascii() and text.isdigit() else otherwise_s


def left_out(response: Response, request: Posting) -> tuple[int, str]:
    """Read how many records were left out, and why; a message without a count is a warning."""
    if response.headers.get("content-type") == _PROTOBUF:
        return partial_success(response.body)
    try:
        partial: Any = json.loads(response.body or b"{}").get("partialSuccess") or {}
        return int(partial.get(request.kind.rejected_key) or 0), str(partial.get("errorMessage") or "")
    except (ValueError, AttributeError):
        return 0, ""


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much of a file is sent; elsewhere nothing."""
    path = Path(name)
    if not sys.stderr.isatty() or not path.is_file():
        yield _ignore
        return
    total = max(1, path.stat().st_size)
    label = terminal_text(f"{path.name} ({show.size(total)})")
    try:
        yield lambda position: _rewrite(f"{label} {position / total:4.0%}")
    finally:
        _rewrite("")


def _rewrite(line: str) -> None:
    """Write the terminal's line anew, and stay in it."""
    print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _ignore(_position: int) -> None:
    """Take the position nowhere."""
