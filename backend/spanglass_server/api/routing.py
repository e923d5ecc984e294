"""A row of the table of routes: everything that is known about one, for serving it and for describing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Param, Params
    from spanglass_server.api.schema import Schema
    from spanglass_server.api.streaming import Streamed
    from spanglass_server.store.ports import QuerySession

#: Where most routes begin.
PREFIX = "/api/v1"

#: What a route returns: an object, as a ``TypedDict`` of the query that answers, or a dict.
Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. ``query`` answers it from a query session, in a thread, ``reply`` in the event loop.

    ``path`` comes after ``prefix``; its parts in braces are parameters too (``{service:path}`` may hold slashes).
    Both functions are synchronous and return what becomes the JSON body; an ``ApiError`` becomes the problem it tells.
    ``status`` is that of an answer, unless ``status_of`` makes it of what is answered. ``streamed`` instead of both
    answers with a file, in parts. Answers that are ``many_objects`` are made and encoded with the collector of cycles
    paused, since no cycle is among them.
    """

    method: str = "GET"
    prefix: str = PREFIX
    path: str
    summary: str
    description: str = ""
    parameters: tuple[Param, ...] = ()
    body: Schema | None = None
    response: Schema
    status: int = 200
    query: Callable[[QuerySession, Params], Answer] | None = None
    reply: Callable[[Params], Answer] | None = None
    status_of: Callable[[Answer], int] | None = None
    streamed: Streamed | None = None
    many_objects: bool = False

    @property
    def full_path(self) -> str:
        """The path with its prefix, as Starlette takes it."""
        return self.prefix + self.path

    @property
    def documented_path(self) -> str:
        """The path with its prefix, as OpenAPI writes it."""
        return re.sub(r":path}", "}", self.full_path)

    @property
    def path_names(self) -> list[str]:
        """Names of the parameters that stand in the path."""
        return re.findall(r"{(\w+)", self.path)
