"""Occurrences from spans and log records: what is told of exceptions, each once, with the key of its group.

Runs when records become columns, after they were acknowledged. The rows are stored like those of any other signal, in
the same generation of the journal as the records that they come from, so that both are found again after a crash, or
neither; what was seen of each key waits in ``Sightings`` for the issue store.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.issues.occurrences.grouper import Grouper, has_message_in_stack
from spanglass_server.issues.occurrences.retellings import Retellings
from spanglass_server.issues.occurrences.sightings import MESSAGE_MAX
from spanglass_server.issues.occurrences.telling import Telling
from spanglass_server.issues.occurrences.told import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.grouping.rules import Rules
    from spanglass_server.issues.occurrences.grouper import Grouped
    from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen
    from spanglass_server.issues.occurrences.sightings import Sightings
    from spanglass_server.issues.occurrences.told import Told
    from spanglass_server.signals import Signal

_LOG = logging.getLogger(__name__)

_TYPE_MAX = 200

SCHEMA = pa.schema(
    {
        "time_ns": pa.int64(),
        "issue_key": pa.int64(),
        "grouping": pa.int32(),
        **dict.fromkeys(("service_name", "release", "environment", "user", "type", "message", "culprit"), pa.string()),
        "handled": pa.bool_(),
        "trace_id": pa.binary(),
        "span_id": pa.binary(),
        "source": pa.uint8(),
        "record_time_ns": pa.int64(),
        "event_index": pa.int32(),
        "record_order": pa.int64(),
        "occurrence_id": pa.string(),
        "stack_hash": pa.int64(),
    }
)


class Deriver:
    """Makes rows of occurrences. ``derive`` and ``undo`` belong to one thread, ``use`` to any.

    ``route`` is asked for each occurrence, with its key and service: it returns the key to store, which is that of the
    service's overflow issue when there are too many. ``failed`` is called for each exception that is left out.
    """

    def __init__(
        self,
        route: Callable[[int, str], int],
        sightings: Sightings,
        releases: ReleasesSeen,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._releases = releases
        self._route = route
        self._sightings = sightings
        self._failed = failed
        self._grouper = Grouper()
        self._retellings = Retellings()

    def use(self, rules: Rules, epoch: int) -> None:
        """Group by these rules from now on."""
        self._grouper = Grouper(rules, epoch)

    def derive(self, signal: Signal, table: Any) -> Any | None:
        """Return the occurrences that a table of spans or log records tells of first, None for none.

        Raises nothing but ``MemoryError``: an exception that can't be grouped is left out, logged and counted; its
        record is stored.
        """
        grouper = self._grouper
        self._retellings.begin()
        try:
            self._releases.see(signal, table)
            grouped = [(one, self._group(grouper, one)) for one in told(signal, table, grouper.keys)]
            # of what tells one exception, that counts which says where the application is: a client span knows only
            # the library's frames, and ends first
            grouped.sort(key=lambda pair: pair[1] is not None and not pair[1].has_app_frames)
            rows = [row for one, group in grouped if group and (row := self._row(grouper.grouping, one, group))]
            if not rows:
                return None
            columns = zip(*rows, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            return pa.table(arrays, SCHEMA)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - the records themselves must be stored
            self._note_failure()
            return None

    def undo(self) -> None:
        """Forget the last table, which could not be stored: its exceptions come again."""
        self._retellings.undo()

    def _group(self, grouper: Grouper, one: Told) -> Grouped | None:
        if one.occurrence_id and not one.stacktrace:
            return None  # our SDK tells in full first, and then only mentions it
        try:
            return grouper.group(one)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - the other exceptions of the batch must be counted
            self._note_failure()
            return None

    def _note_failure(self) -> None:
        self._failed()
        _LOG.exception("exceptions could not be grouped; the records that tell of them are stored")

    def _row(self, grouping: int, one: Told, grouped: Grouped) -> tuple[Any, ...] | None:
        """Return the occurrence of a telling, in the order of ``SCHEMA``; None if it is told already."""
        if not self._retellings.is_new(_telling(one, grouped)):
            return None
        found = grouped.fingerprint
        key = self._route(found.key, one.service)
        self._sightings.see(key, one, found)
        return (
            *(one.time_ns, key, grouping, one.service),
            *(one.release or None, one.environment or None, one.user or None),
            *(found.type[:_TYPE_MAX], one.message[:MESSAGE_MAX], found.culprit or None, one.handled),
            *(one.trace_id or None, one.span_id or None, 0 if one.is_span_event else 1),
            *(one.record_time_ns, one.event_index, one.record_order, one.occurrence_id or None, grouped.stack_hash),
        )


def _telling(one: Told, grouped: Grouped) -> Telling:
    return Telling(
        one.occurrence_id or None,
        one.trace_id,
        one.span_id,
        one.parent_span_id,
        one.is_span_event,
        one.time_ns,
        one.event_index or 0,
        _origin(one, grouped),
        grouped.stack_hash,
        grouped.frames,
    )


def _origin(one: Told, grouped: Grouped) -> tuple[str, str, str, str]:
    """Return what all tellings of an exception have in common.

    Type and message are those of the stack, if it has any: loggers and spans differ in what they send beside it.
    """
    is_told = not grouped.raised_in or has_message_in_stack(one)
    message = one.message if is_told else grouped.told_message
    return one.service, grouped.fingerprint.type, message, grouped.raised_in
