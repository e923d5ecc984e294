"""What is known of metric families: type, help and unit, as remote write 1.0 sends them, apart from the samples.

They are kept in a file, so that samples are typed right after a restart, before the sender tells it again.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from spanglass_server.ingest.prometheus.schema import TYPES
from spanglass_server.store.disk import DISK, Disk, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)
_MOST = 100_000  # families; each takes about 300 bytes
_HELP_CHARACTERS = 1024

UNKNOWN: Final = TYPES[0]
_COUNTING: Final = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
#: The parts of a family, by suffix, and which types have them.
_PARTS: Final = {
    "_total": ("counter", UNKNOWN),
    "_bucket": ("histogram", "gaugehistogram"),
    "_count": ("histogram", "summary", "gaugehistogram"),
    "_sum": ("histogram", "summary", "gaugehistogram"),
    "_gcount": ("gaugehistogram",),
    "_gsum": ("gaugehistogram",),
    "_created": ("counter", "histogram", "summary"),
    "_info": ("info",),
}


class Family(NamedTuple):
    """What a sender said of a metric family. A type that nobody told is empty."""

    type: str = ""
    help: str = ""
    unit: str = ""


class Described(NamedTuple):
    """The columns of a series that follow from its name and its family."""

    metric_type: str
    description: str | None
    unit: str | None
    metadata: str | None


@lru_cache(maxsize=1 << 16)
def describe(name: str, family: Family) -> Described:
    """How a series of floats of that name and family is stored."""
    metadata = orjson.dumps({"prometheus.type": family.type}).decode() if family.type else None
    counts = name.endswith(_COUNTING.get(family.type, ())) or (
        family.type == "counter" and not name.endswith("_created")
    )
    return Described("sum" if counts else "gauge", family.help or None, family.unit or None, metadata)


class Families:
    """The families that were told, by name; without a path they are kept in memory alone. Thread-safe."""

    def __init__(self, path: Path | None = None, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
        self._lock = threading.Lock()
        self._known: dict[str, Family] = {}
        self._is_written = True
        self._only_in_memory = False
        if path is not None and path.exists():
            self._load(path)

    def _load(self, path: Path) -> None:
        try:
            rows = orjson.loads(path.read_bytes())
            self._known = {name: Family(*map(str, row)) for name, row in rows.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _LOG.warning("%s can't be read (%s): types of metrics are known again once they are sent", path, error)

    def of(self, name: str) -> Family:
        """The family of a series: the one of its name, or the one that it is a part of."""
        known = self._known
        if (family := known.get(name)) is not None:
            return family
        stem, underscore, suffix = name.rpartition("_")
        family = known.get(stem)
        if family is not None and family.type in _PARTS.get(underscore + suffix, ()):
            return family
        return Family()

    def learn(self, families: Iterable[tuple[str, Family]]) -> None:
        """Remember families durably. Help of the first sender stays while type and unit do.

        Raises ``OSError`` when they can't be written; the next call tries it again.
        """
        with self._lock:
            changed = {name: family for name, family in families if self._is_news(name, family)}
            if changed:
                self._known = self._within_limit({**self._known, **changed})
                self._is_written = False
            if self._path is not None and not self._is_written and not self._only_in_memory:
                self._disk.make_directory(self._path.parent)
                replace_file(
                    self._path, orjson.dumps({name: list(row) for name, row in self._known.items()}), self._disk
                )
                self._is_written = True

    @contextmanager
    def only_in_memory(self) -> Iterator[None]:
        """Write nothing meanwhile: a start learns again from the journal, and may find a disk that is full."""
        self._only_in_memory = True
        try:
            yield
        finally:
            self._only_in_memory = False

    @staticmethod
    def _within_limit(known: dict[str, Family]) -> dict[str, Family]:
        if len(known) <= _MOST:
            return known
        _LOG.warning("types of more than %d metric families were sent; others stay unknown", _MOST)
        return dict(list(known.items())[:_MOST])

    def _is_news(self, name: str, family: Family) -> bool:
        known = self._known.get(name)
        if known is None:
            return bool(name) and len(self._known) < _MOST
        return (known.type, known.unit) != (family.type, family.unit) or (not known.help and bool(family.help))


def family(type_number: int, help_text: str, unit: str) -> Family:
    """A family as it was sent; a type of a newer protocol is unknown."""
    kind = TYPES[type_number] if 0 <= type_number < len(TYPES) else UNKNOWN
    return Family(kind, help_text[:_HELP_CHARACTERS], unit)


def told_families(rows: Any) -> list[tuple[str, Family]]:
    """The families of ``MetricMetadata`` messages (a struct array), by name."""
    return [(row["metric_family_name"], family(row["type"], row["help"], row["unit"])) for row in rows.to_pylist()]
