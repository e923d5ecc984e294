"""Label lists of series and exemplars in columns, whichever way they were sent: as texts, or as places in symbols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.columnar import Flat, byte_lengths, flatten, numpy, take_or_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.owners import Owners
    from spanglass_server.ingest.attributes.shredder import AttributeShredder

NAME: Final = "__name__"

NO_NAME: Final = "a label has an empty name"
TWICE: Final = "a label is given twice in one series"
UNPAIRED: Final = "labels_refs must be pairs of places in symbols"


@dataclass(frozen=True, slots=True)
class Symbols:
    """The symbol tables of some requests of remote write 2.0, one after another."""

    texts: Any  # the different ones of all tables
    codes: NDArray[np.int64]  # the place in ``texts`` of each symbol of each table
    offsets: NDArray[np.int64]  # where each request's table begins

    @classmethod
    def of(cls, lists: Any) -> Symbols:
        """Those of a batch's column ``symbols``."""
        flat = flatten(lists)
        encoded = flat.values.dictionary_encode()
        return cls(encoded.dictionary, encoded.indices.to_numpy().astype(np.int64), flat.offsets)

    def find(
        self, references: NDArray[np.int64], request_of: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The place in ``texts`` of each reference, and whether it is out of its table (its place is 0 then)."""
        beyond = references >= np.diff(self.offsets)[request_of]
        if not len(self.codes):
            return np.zeros(len(references), np.int64), beyond
        return self.codes[np.where(beyond, 0, references + self.offsets[request_of])], beyond


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of ``size`` lists, one list after another; an empty value is the same as no label, and left out."""

    size: int
    lists: NDArray[np.int64]  # which list each label stands in
    keys: NDArray[np.int64]  # the place of its name in ``names``
    names: Any  # the different names
    values: Any
    problems: dict[str, NDArray[np.bool_]] = field(default_factory=dict)  # by reason, which lists can't be stored

    @classmethod
    def of_pairs(cls, lists: Any) -> Labels:
        """Labels given as names and values (remote write 1.0)."""
        flat = flatten(lists)
        keys = flat.values.field("name").dictionary_encode()
        found = cls(
            len(lists),
            flat.parents,
            keys.indices.to_numpy().astype(np.int64),
            keys.dictionary,
            flat.values.field("value"),
        )
        return found._checked()

    @classmethod
    def of_references(cls, lists: Any, symbols: Symbols, request_of: NDArray[np.int64]) -> Labels:
        """Labels given as pairs of places in the symbols of their requests (remote write 2.0)."""
        flat = flatten(lists)
        places, beyond = symbols.find(numpy(flat.values).astype(np.int64), request_of[flat.parents])
        bad = flat.counts % 2 != 0
        bad[flat.parents[beyond]] = True
        if bad.any():
            places, flat = places[~bad[flat.parents]], _emptied(flat, bad)
        names, values = places[::2], places[1::2]
        present = np.zeros(len(symbols.texts), bool)
        present[names] = True
        keys = (np.cumsum(present) - 1)[names]
        texts = symbols.texts.take(pa.array(values))
        distinct = symbols.texts.filter(pa.array(present))
        found = cls(len(lists), flat.parents[::2], keys, distinct, texts, {UNPAIRED: bad} if bad.any() else {})
        return found._checked()

    def _checked(self) -> Labels:
        """The same with what is wrong, and without empty values."""
        nameless = pc.index(self.names, "").as_py()
        if nameless >= 0:
            self._mark(NO_NAME, self.keys == nameless)
        twice = (self.lists[1:] == self.lists[:-1]) & (self.keys[1:] == self.keys[:-1])  # names are sent sorted
        if twice.any():
            self._mark(TWICE, np.concatenate([[False], twice]))
        filled = byte_lengths(self.values) > 0
        return self if filled.all() else self._where(filled)

    def _mark(self, reason: str, entries: NDArray[np.bool_]) -> None:
        bad = np.zeros(self.size, bool)
        bad[self.lists[entries]] = True
        self.problems[reason] = bad

    def _where(self, chosen: NDArray[np.bool_]) -> Labels:
        values = self.values.filter(pa.array(chosen))
        return Labels(self.size, self.lists[chosen], self.keys[chosen], self.names, values, self.problems)

    def take(self, lists: NDArray[np.int64]) -> Labels:
        """The labels of chosen lists, given in rising order."""
        if len(lists) == self.size:
            return self
        place = np.full(self.size, -1, np.int64)
        place[lists] = np.arange(len(lists))
        own = place[self.lists]
        chosen = own >= 0
        return Labels(len(lists), own[chosen], self.keys[chosen], self.names, self.values.filter(pa.array(chosen)))

    def places(self, name: str) -> NDArray[np.int64]:
        """Where each list's label of that name stands among all labels, -1 for none."""
        places = np.full(self.size, -1, np.int64)
        key = pc.index(self.names, name).as_py()
        if key >= 0:
            entries = np.flatnonzero(self.keys == key)
            places[self.lists[entries]] = entries
        return places

    def texts(self, name: str) -> Any:
        """Each list's value of that label, null for none."""
        return take_or_null(self.values, self.places(name))

    def without(self, places: NDArray[np.int64]) -> Labels:
        """All labels but those at these places."""
        chosen = np.ones(len(self.lists), bool)
        chosen[places[places >= 0]] = False
        return self._where(chosen)

    def shred(self, position: str, shredder: AttributeShredder, owners: Owners | None = None) -> dict[str, Any]:
        """One column a label name, a row a list."""
        offsets = np.concatenate([[0], np.cumsum(np.bincount(self.lists, minlength=self.size))])
        keys = pa.DictionaryArray.from_arrays(pa.array(self.keys, pa.int32()), self.names)
        return shredder.shred_texts(position, Flat(None, self.lists, offsets), keys, self.values, owners)


def _emptied(flat: Flat, lists: NDArray[np.bool_]) -> Flat:
    """The items without those of some lists."""
    counts = np.where(lists, 0, flat.counts)
    return Flat(None, flat.parents[~lists[flat.parents]], np.concatenate([[0], np.cumsum(counts)]))
