"""After a start: what the journal holds and no segment does goes back into memory, exactly once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING

from spanglass_server.ingest.journal.file import read_entries, survey
from spanglass_server.ingest.journal.flushing import State
from spanglass_server.ingest.ports import IngestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spanglass_server.ingest.decoding.decode import Decoder
    from spanglass_server.ingest.digests import DigestWindow
    from spanglass_server.ingest.journal.file import Entry
    from spanglass_server.ingest.journal.folder import JournalFolder
    from spanglass_server.ingest.pending import Pending
    from spanglass_server.store.segment_files.catalog import Catalog

_LOG = logging.getLogger(__name__)
_BATCH = 16


@dataclass(slots=True)
class Recovered:
    """The generations found, what is to become of each, and the first free number."""

    generations: dict[int, State] = field(default_factory=dict)
    next_generation: int = 1


class Recovery:
    """Decodes the journal's entries into ``pending``, those of generations that are in no segment."""

    def __init__(self, folder: JournalFolder, decoder: Decoder, pending: Pending, digests: DigestWindow) -> None:
        self._folder = folder
        self._decoder = decoder
        self._pending = pending
        self._digests = digests

    def run(self, catalog: Catalog) -> Recovered:
        """Read all files. One whose records are in segments is not read: a stop came before it was deleted."""
        start, out_of_turn = catalog.journal_start(), catalog.flushed_out_of_turn()
        recovered = Recovered(next_generation=start)
        for generation, path in self._folder.files().items():
            aside = self._folder.is_aside(generation)
            if generation in out_of_turn or (generation < start and not aside):
                state = State.FLUSHED
            else:
                state = State.QUARANTINED if aside else State.SEALED
                self._replay(path, generation)
            recovered.generations[generation] = state
            recovered.next_generation = max(recovered.next_generation, generation + 1)
        return recovered

    def _replay(self, path: Path, generation: int) -> None:
        left_out = survey(path)
        if left_out.damaged_bytes:
            _LOG.error(
                "journal %s: %d bytes in %d places are damaged and can't be read; what stands before and after them "
                "is stored, and the file stays as *.damaged",
                *(path.name, left_out.damaged_bytes, left_out.damaged_places),
            )
            self._pending.damaged.add(generation)
        if left_out.torn_bytes:
            _LOG.warning(
                "journal %s: %d bytes at its end are no whole record and are left out", path.name, left_out.torn_bytes
            )
        for _, entries in groupby(read_entries(path), key=lambda entry: (entry.signal, entry.form)):
            for batch in _batches(entries):
                self._replay_batch([entry for entry in batch if entry.digest not in self._digests], generation)

    def _replay_batch(self, batch: list[Entry], generation: int) -> None:
        """Decode one batch; its entries passed the checks before, as of when they were received.

        One that is stored already was written twice: the first time was not acknowledged, and could not be undone.
        """
        entries = list({entry.digest: entry for entry in batch}.values())
        if not entries:
            return
        bodies, received_ns = [entry.body for entry in entries], [entry.received_ns for entry in entries]
        results = self._decoder.decode(entries[0].signal, bodies, received_ns, entries[0].form)
        for entry, result in zip(entries, results, strict=True):
            if isinstance(result, IngestError):
                _LOG.error("a journaled request can't be decoded any more and stays in the journal's file: %s", result)
                self._pending.damaged.add(generation)
                continue
            self._pending.add(generation, result[0])
            self._digests.add(generation, entry.digest, entry.received_ns)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch
