"""Pieces by the form that is asked for, from what is kept or from storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.promql.stored.decoding.explicit import (
    BUCKETS,
    CUSTOM_BUCKETS,
    QUANTILES,
    bucket_pieces,
    custom_pieces,
    quantile_pieces,
)
from spanglass_server.promql.stored.decoding.native import EXPONENTIAL, native_piece
from spanglass_server.promql.stored.decoding.numbers import NUMBERS, number_piece
from spanglass_server.promql.stored.decoding.points import PointReader, Values
from spanglass_server.promql.stored.decoding.targets import target_piece
from spanglass_server.promql.stored.naming.identity import TARGET, Form

if TYPE_CHECKING:
    from spanglass_server.promql.stored.decoding.pieces import Piece
    from spanglass_server.promql.stored.naming.identity import Identity
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession


class Reader:
    """Reads the pieces of a session's parts; ``together``: others of the same parts will be asked for as well."""

    def __init__(self, session: QuerySession, cache: PartCache, *, with_created: bool, together: bool = False) -> None:
        self._session = session
        self._cache = cache
        self._with_created = with_created
        self._points = PointReader(session, cache, with_created=with_created, together=together)

    def pieces(self, part: Part, identity: Identity, form: Form) -> tuple[Piece, ...]:
        """A form of a metric in one part; several where the layout of its points changes."""
        return self._cache.kept(
            ("piece", part.key, identity, form, self._with_created),
            lambda: self._read(part, identity, form),
            lambda pieces: sum(piece.bytes for piece in pieces) + 200,
        )

    def _read(self, part: Part, identity: Identity, form: Form) -> tuple[Piece, ...]:
        if identity.type == TARGET:
            return (target_piece(self._session, part),)
        values = _values(identity, form)
        points = self._points.read(part, identity, values)
        if values is BUCKETS:
            return bucket_pieces(points, is_delta=identity.is_delta)
        if values is CUSTOM_BUCKETS:
            return custom_pieces(points)
        if values is QUANTILES:
            return quantile_pieces(points)
        if values is EXPONENTIAL:
            return (native_piece(points),)
        return (number_piece(points, is_delta=identity.is_delta),)


def _values(identity: Identity, form: Form) -> Values:
    if form in NUMBERS:
        return NUMBERS[form]
    if form is Form.NATIVE:
        return EXPONENTIAL if identity.type == "exponential_histogram" else CUSTOM_BUCKETS
    return BUCKETS if form is Form.BUCKET else QUANTILES
