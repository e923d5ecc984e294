"""After a start: what the journal holds and no segment does goes back into memory, exactly once."""

from __future__ import annotations

import logging
from itertools import groupby, islice
from typing import TYPE_CHECKING

from spanglass_server.ingest.journal import journal_files, read_entries, whole_bytes
from spanglass_server.ingest.ports import IngestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spanglass_server.ingest.decode import Decoder
    from spanglass_server.ingest.digests import DigestWindow
    from spanglass_server.ingest.journal import Entry
    from spanglass_server.ingest.pending import Pending

_LOG = logging.getLogger(__name__)
_BATCH = 16


def replay(
    directory: Path, journal_start: int, decoder: Decoder, pending: Pending, digests: DigestWindow
) -> tuple[list[int], int]:
    """Decode the journal's entries into ``pending``; returns the generations replayed and the next free number.

    Files before ``journal_start`` are in segments already and are deleted.
    """
    generations = []
    last = journal_start - 1
    for generation, path in journal_files(directory).items():
        last = max(last, generation)
        if generation < journal_start:
            path.unlink()
            continue
        _replay_file(path, generation, decoder, pending, digests)
        generations.append(generation)
    return generations, last + 1


def _replay_file(path: Path, generation: int, decoder: Decoder, pending: Pending, digests: DigestWindow) -> None:
    torn = path.stat().st_size - whole_bytes(path)
    if torn > 0:
        _LOG.warning("journal %s: %d bytes at its end are no whole record and are left out", path.name, torn)
    for _, entries in groupby(read_entries(path), key=lambda entry: entry.signal):
        for batch in _batches(entries):
            _replay_batch(batch, generation, decoder, pending, digests)


def _replay_batch(
    batch: list[Entry], generation: int, decoder: Decoder, pending: Pending, digests: DigestWindow
) -> None:
    """Decode one batch; its entries passed the checks before, as of when they were received."""
    results = decoder.decode(batch[0].signal, [entry.body for entry in batch], [entry.received_ns for entry in batch])
    for entry, result in zip(batch, results, strict=True):
        if isinstance(result, IngestError):
            _LOG.error("a journaled request can't be decoded any more and stays in the journal's file: %s", result)
            pending.damaged.add(generation)
            continue
        pending.add(generation, result[0])
        digests.add(generation, entry.digest, entry.received_ns)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch
