"""OTLP/JSON in files: what is in them, request by request.

A file is one JSON object, or JSON lines with a request each (the Collector's file exporter), plain or gzipped
(OTLP specification, "OTLP File Exporter": https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/).
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Kind:
    """One signal of OTLP/JSON: the key of its data, where it is posted, and what an answer counts."""

    key: str
    path: str
    rejected_key: str
    noun: str
    nested: tuple[str, ...]  # keys from a resource's entry down to the records


KINDS = (
    Kind("resourceSpans", "/v1/traces", "rejectedSpans", "span", ("scopeSpans", "spans")),
    Kind("resourceLogs", "/v1/logs", "rejectedLogRecords", "log record", ("scopeLogs", "logRecords")),
    Kind("resourceMetrics", "/v1/metrics", "rejectedDataPoints", "metric", ("scopeMetrics", "metrics")),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to post: its body, and the place it comes from, for errors."""

    kind: Kind
    body: bytes
    records: int
    place: str


def read_requests(name: str, progress: Callable[[int], None]) -> Iterator[Request]:
    """Yield the requests of a file, ``-`` for standard input; ``progress`` hears how many of its bytes are read.

    Raises ``CliError`` with the file's name and line when it can't be read or is no OTLP/JSON.
    """
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(os.fdopen(os.dup(0), "rb") if name == "-" else Path(name).open("rb"))  # noqa: SIM115 - the stack closes it
            yield from _requests(name, raw, progress)
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CliError(f"{name} can't be read: {reason}") from None


def _requests(name: str, raw: BufferedReader, progress: Callable[[int], None]) -> Iterator[Request]:
    head = raw.peek(len(_GZIP_MAGIC))[: len(_GZIP_MAGIC)]
    lines = gzip.GzipFile(fileobj=raw) if head == _GZIP_MAGIC else raw
    first = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            if not first:
                raise _not_json(place, error) from None
            # not one object a line: then the whole file is one
            yield from _whole(name, line + lines.read())
            return
        yield from _split(content, line, place)
        first = False
        if raw.seekable():
            progress(raw.tell())


def _whole(name: str, body: bytes) -> Iterator[Request]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_json(name, error) from None
    yield from _split(content, body, name)


def _split(content: Any, body: bytes, place: str) -> Iterator[Request]:
    """Yield one request for each signal; a body of one signal is sent as it was written."""
    found = [kind for kind in KINDS if isinstance(content, dict) and kind.key in content]
    if not found:
        expected = ", ".join(kind.key for kind in KINDS)
        raise CliError(f"{place}: not OTLP/JSON: there is none of {expected} at the top")
    for kind in found:
        part = body.strip() if len(found) == 1 else json.dumps({kind.key: content[kind.key]}).encode()
        yield Request(kind, part, _count(content[kind.key], *kind.nested), place)


def _count(entries: Any, *nested: str) -> int:
    """Count records below resources and scopes; what is malformed is the server's to refuse."""
    if not isinstance(entries, list):
        return 0
    if not nested:
        return len(entries)
    return sum(_count(entry.get(nested[0]), *nested[1:]) for entry in entries if isinstance(entry, dict))


def _not_json(place: str, error: ValueError | RecursionError) -> CliError:
    return CliError(f"{place}: not JSON: {error}", "send takes OTLP/JSON, one object a file or one a line")
