"""From a key as written to the stored columns that may hold it: positions, old and new names, and types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling.paths import MapPath, map_paths
from spanglass_server.query.language.intrinsics import INTRINSICS, SHORT_NAMES, Intrinsic
from spanglass_server.query.semantic_conventions.semconv import aliases
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import POSITIONS, AttributeColumn, Signal, ValueType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from spanglass_server.query.language.parsing.ast import Field

#: The overflow column whose presence says that some attributes are not in columns of their own.
OVERFLOW = "overflow_name"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a field may be: at most one of ``intrinsic`` and a key, and the columns that exist.

    ``overflow`` holds the full column names under which the overflow lists may have it; empty without such lists.
    ``names_service``: services that have no name have one here.
    ``maps`` are the maps that may hold it.
    """

    key: str
    intrinsic: Intrinsic | None
    columns: tuple[AttributeColumn, ...]
    overflow: tuple[str, ...]
    names_service: bool = False
    maps: tuple[MapPath, ...] = ()


def resolve(field: Field, signal: Signal, columns: Collection[str]) -> Resolved:
    """Find a field. ``columns`` are the stored attribute columns; raises ``FilterError`` for a foreign position."""
    if not field.quoted and field.name in SHORT_NAMES:
        field = replace(field, name=SHORT_NAMES[field.name])
    intrinsic = None if field.quoted else INTRINSICS[signal].get(field.name)
    if intrinsic is None:
        places = tuple(dict.fromkeys(_places(field, signal)))
    else:
        places = tuple((position, key) for key in intrinsic.attributes for position in POSITIONS[signal])
    candidates = _candidates(places)
    return Resolved(
        key=places[0][1] if places else field.name,
        intrinsic=intrinsic,
        columns=tuple(candidate for name, candidate in candidates.items() if name in columns),
        overflow=tuple(candidates) if OVERFLOW in columns else (),
        names_service=SERVICE in candidates,
        maps=map_paths(places, field, signal, columns) if intrinsic is None else (),
    )


@lru_cache(maxsize=1024)
def _candidates(places: tuple[tuple[str, str], ...]) -> Mapping[str, AttributeColumn]:
    """Columns that may hold a field, by name: a hundred of them, whose names take 1 ms to make."""
    candidates = (AttributeColumn(position, key, kind) for position, key in places for kind in ValueType)
    return MappingProxyType({candidate.name: candidate for candidate in candidates})


def _places(field: Field, signal: Signal) -> Iterator[tuple[str, str]]:
    """List positions and keys to look at, the likeliest first."""
    if field.position:
        yield from ((_known(field, signal), key) for key in aliases(field.name))
        return
    position, _, key = field.name.partition(".")
    if not field.quoted and key and position in POSITIONS[signal]:
        yield from ((position, alias) for alias in aliases(key))
    # "log.file.name" is also a key of its own, so the whole name is looked for as well.
    yield from ((place, alias) for place in POSITIONS[signal] for alias in aliases(field.name))


def _known(field: Field, signal: Signal) -> str:
    if field.position not in POSITIONS[signal]:
        message = f"{signal} have no attributes in position {field.position!r}"
        raise FilterError(message, field.column, POSITIONS[signal], "leave the position out to look in all of them")
    return field.position
