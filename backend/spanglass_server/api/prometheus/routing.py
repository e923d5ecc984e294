"""A row of the table of routes, and what its function gets and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.api.params import Param
    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.api.schema import Schema
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.store.ports import QuerySession

#: Where all routes begin; a client is given the part before ``/api`` as the server's address.
ROOT = "/prometheus"
PREFIX = f"{ROOT}/api/v1"

ASKED = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Question:
    """A request as its route's function gets it: its parameters, the series to answer from, and until when.

    ``deadline_s`` is of ``time.monotonic``.
    """

    form: Form
    series: StoredSeries
    deadline_s: float
    session: QuerySession


@dataclass(frozen=True, slots=True)
class Reply:
    """The member ``data`` as JSON, in parts, and what is said beside it."""

    data: Sequence[bytes]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Any, *warnings: str) -> Reply:
        """Reply with what orjson can write."""
        return cls([orjson.dumps(data)], warnings)

    def parts(self) -> list[bytes]:
        """Return the body of the response, in parts."""
        said = [(name, notes) for name, notes in (("warnings", self.warnings), ("infos", self.infos)) if notes]
        notes = "".join(f',"{name}":{orjson.dumps(notes).decode()}' for name, notes in said)
        return [b'{"status":"success","data":', *self.data, notes.encode() + b"}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusRoute:
    """One route. Either ``query`` answers it from stored series, in a thread, or ``reply``, in the event loop.

    ``path`` comes after ``PREFIX``; its part in braces is a parameter too. ``data`` describes the member ``data``.
    With ``POST``, parameters may come as the body of a form.
    """

    path: str
    summary: str
    methods: tuple[str, ...] = ("GET",)
    parameters: tuple[Param, ...] = ()
    data: Schema
    query: Callable[[Question], Reply] | None = None
    reply: Callable[[Form], Reply] | None = None

    @property
    def full_path(self) -> str:
        """The path with its prefix."""
        return PREFIX + self.path
