"""How often applications are to collect metrics, by collector: kept in one file, and told with answers to exports.

Our instrumentation reads the header from every answer to an export of metrics, so a change reaches a process with its
next one. Other senders ignore it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration, parse_duration_ns
from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.store.disk import Disk

_LOG = logging.getLogger(__name__)

FILE_NAME = "collection.json"
HEADER = "spanglass-collection-intervals"
#: Collectors of our instrumentation.
COLLECTORS = ("host", "interpreter", "libraries", "process")
LEAST_NS = 10**9
MOST_NS = 24 * 3600 * 10**9
MOST_ENTRIES = 200
#: What a header and its list can carry; services with other names can't be told apart there.
_SERVICE = re.compile(r"[!-+\--9;<>-~]{0,100}")


class CollectionError(ValueError):
    """An interval can't be kept; ``field`` is the part at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, order=True)
class CollectionInterval:
    """The interval of one collector, of one service or, with "", of all without one of their own."""

    collector: str
    service: str
    interval_ns: int


class CollectionIntervals:
    """The intervals that were asked for. Methods may be called from any thread.

    A file that can't be read is logged and left alone until the next change: applications keep their own settings.
    """

    def __init__(self, data_dir: Path, disk: Disk) -> None:
        self._path = data_dir / FILE_NAME
        self._disk = disk
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], int] = {}
        try:
            entries = json.loads(self._path.read_text()) if self._path.exists() else []
            self._entries = {(each["collector"], each["service"]): each["interval_ns"] for each in entries}
        except (OSError, ValueError, TypeError, KeyError) as error:
            _LOG.warning("%s can't be read, so applications are told no intervals: %s", self._path, error)
        self._header = self._write_header()

    @property
    def header(self) -> str:
        """The header's value, "" if nothing was asked for."""
        return self._header

    def entries(self) -> list[CollectionInterval]:
        """All intervals, sorted by collector and service."""
        with self._lock:
            return sorted(CollectionInterval(*place, interval) for place, interval in self._entries.items())

    def put(self, collector: str, service: str, interval: str) -> CollectionInterval:
        """Keep an interval such as ``60s``; ``CollectionError`` for one that can't be, ``OSError`` from the disk."""
        if not _SERVICE.fullmatch(service):
            raise CollectionError("service", "has characters that a header can't carry, a colon, comma or equals sign")
        try:
            interval_ns = parse_duration_ns(interval)
        except ValueError as error:
            raise CollectionError("interval", str(error)) from error
        if not LEAST_NS <= interval_ns <= MOST_NS:
            raise CollectionError("interval", f"{interval} is not between 1s and 24h")
        with self._lock:
            if (collector, service) not in self._entries and len(self._entries) >= MOST_ENTRIES:
                raise CollectionError("service", f"there are {MOST_ENTRIES} intervals already; delete some first")
            self._keep({**self._entries, (collector, service): interval_ns})
        return CollectionInterval(collector, service, interval_ns)

    def delete(self, collector: str, service: str) -> bool:
        """Go back to what applications are set to; False if nothing was asked for."""
        with self._lock:
            if (collector, service) not in self._entries:
                return False
            self._keep({place: value for place, value in self._entries.items() if place != (collector, service)})
        return True

    def _keep(self, entries: dict[tuple[str, str], int]) -> None:
        rows = [{"collector": name, "service": service, "interval_ns": v} for (name, service), v in entries.items()]
        replace_file(self._path, json.dumps(rows, indent=1).encode(), self._disk)
        self._entries = entries
        self._header = self._write_header()

    def _write_header(self) -> str:
        places = {(f"{service}:{name}" if service else name): v for (name, service), v in self._entries.items()}
        return ", ".join(f"{place}={format_duration(places[place])}" for place in sorted(places))
