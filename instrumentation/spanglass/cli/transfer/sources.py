"""What can be imported, as requests to post: exports of ours, OTLP/JSON, Jaeger's JSON."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError, missing
from spanglass.cli.files import local
from spanglass.cli.transfer import jaeger
from spanglass.cli.transfer.job import JOB, load
from spanglass.cli.transfer.otlp_files import KINDS, read_requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from spanglass.cli.transfer.otlp_files import Kind

_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_OURS = frozenset({".parquet", ".duckdb"})
_FILES = (".parquet", ".duckdb", ".ndjson", ".otlp", ".json", ".jsonl", ".gz")
_BY_SIGNAL = dict(zip(("spans", "logs", "metrics"), KINDS, strict=True))
#: Enough of a file to see what it is.
_HEAD = 4_096
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Posted:
    """A request to post, and how many records are in it."""

    kind: Kind
    body: bytes
    content_type: str
    records: int
    place: str


def files_of(names: list[str]) -> list[Path]:
    """The files that are named: of a directory those of its export, else all that can be imported, by their names."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if not path.is_dir():
            found.append(path)
            continue
        job = load(path) if (path / JOB).is_file() else None
        if job is not None:
            if not job.is_done:
                raise CliError(f"{name} is an export that is not whole", "the same export command again finishes it")
            found += [job.path(part) for part in job.parts if part.size and part.signal in _BY_SIGNAL]
        else:
            found += sorted(each for each in path.iterdir() if each.suffix in _FILES)
    return found


def requests(path: Path) -> Iterator[Posted]:
    """Yield the requests of a file, the same ones each time; ``CliError`` that says what is wrong with it."""
    if path.suffix in _OURS or (path.suffix == ".ndjson" and not _is_otlp(path)):
        yield from _ours(path)
    elif (content := _jaeger(path)) is not None:
        for message, records in jaeger.requests(content, str(path)):
            yield Posted(KINDS[0], json.dumps(message).encode(), _JSON, records, str(path))
    else:
        for request in read_requests(str(path), lambda _: None):
            yield Posted(request.kind, request.body, _JSON, request.records, request.place)


def _ours(path: Path) -> Iterator[Posted]:
    read: Any = local("spanglass.export_files", "requests")
    if read is None:
        raise missing(f"to import {path.name} the server's package is needed here", "server", "or export it as otlp")
    try:
        for number, (signal, body, records) in enumerate(read(str(path)), 1):
            yield Posted(_BY_SIGNAL[signal], body, _PROTOBUF, records, f"{path} (request {number})")
    except ValueError as error:
        raise CliError(f"{path}: {error}") from None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror or error}") from None


def _is_otlp(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}") from None
    return any(f'"{kind.key}"'.encode() in head for kind in KINDS)


def _is_gzip(file: BufferedReader) -> bool:
    return file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP


def _jaeger(path: Path) -> dict[str, object] | None:
    """The content of a file of Jaeger's; None for another."""
    try:
        with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) if _is_gzip(raw) else raw as file:
            head = file.read(_HEAD)
            if b'"data"' not in head or any(f'"{kind.key}"'.encode() in head for kind in KINDS):
                return None
            content = json.loads(head + file.read())
    except (OSError, EOFError, zlib.error) as error:
        raise CliError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    except (ValueError, RecursionError):
        return None
    return content if jaeger.is_jaeger(content) else None
