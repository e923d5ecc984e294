"""How much of attributes becomes columns, and what became of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ShredLimits:
    """What may become columns. Past a limit nothing is dropped: it overflows, or is cut with a mark, and is counted."""

    max_columns: int = 1000  # attribute columns a segment
    max_attributes: int = 256  # attributes of one record, event, link or exemplar
    max_value_bytes: int = 128 * 1024


@dataclass(slots=True)
class ShredCounts:
    """What limits did to the data."""

    overflowed: int = 0
    cut: int = 0
    duplicate_keys: int = 0
    dropped: int = 0

    def add(self, other: ShredCounts) -> None:
        """Add another chunk's counts."""
        self.overflowed += other.overflowed
        self.cut += other.cut
        self.duplicate_keys += other.duplicate_keys
        self.dropped += other.dropped


@dataclass(slots=True)
class ColumnBudget:
    """The attribute columns of one segment: admits new names until ``limit``. Not thread-safe."""

    limit: int
    _names: set[str] = field(default_factory=set)

    def admit(self, name: str) -> bool:
        """Whether the column may be part of the segment; remembers it if so."""
        if name in self._names:
            return True
        if len(self._names) >= self.limit:
            return False
        self._names.add(name)
        return True
