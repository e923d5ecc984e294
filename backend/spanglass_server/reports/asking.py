"""The questions of a report: each is asked of the API once, whichever sections need its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

from spanglass_server import api_questions
from spanglass_server.api_questions import API
from spanglass_server.reports.errors import AskError
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from spanglass_server.reports.model import Scope

#: Questions that run at once: the others of the server's queries are for people who wait.
_AT_ONCE: Final = 2


class Ask(Protocol):
    """The API, called in this process."""

    async def __call__(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """The decoded JSON of an answer to GET; ``AskError`` for any other. Cancelling the call stops the query."""
        ...


@dataclass(slots=True)
class _Asked:
    """The answers of a report so far, or the questions under way, by their address."""

    ask: Ask
    answers: dict[str, asyncio.Task[dict[str, Any]]] = field(default_factory=dict)
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def answer(self, address: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Ask, or wait for who asks; what failed is asked anew."""
        known = self.answers.get(address)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self.answers[address] = asyncio.ensure_future(self._ask(path, params))
        return await asyncio.shield(known)

    async def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        async with self.places:
            return await self.ask(path, params)


class Questions:
    """What a section asks. ``asked`` are the addresses so far."""

    together = staticmethod(api_questions.together)

    def __init__(self, ask: Ask, scope: Scope, asked: _Asked | None = None) -> None:
        self.scope = scope
        self.asked: list[str] = []
        self._all = asked or _Asked(ask)

    def of_section(self) -> Questions:
        """The questions of another section, which shares the answers."""
        return Questions(self._all.ask, self.scope, self._all)

    async def now(self, *path: str, api: str = API, **params: str | int) -> dict[str, Any]:
        """An answer for the report's range. Parts of the path are encoded here, empty parameters left out."""
        return await self.within((self.scope.start_ns, self.scope.end_ns), *path, api=api, **params)

    async def before(self, *path: str, api: str = API, **params: str | int) -> dict[str, Any]:
        """The same for the range before it."""
        return await self.within(self.scope.before, *path, api=api, **params)

    async def within(self, window: tuple[int, int], *path: str, api: str = API, **params: str | int) -> dict[str, Any]:
        """The same for any range, in nanoseconds since 1970."""
        start, end = map(format_time, window)
        return await self.plain(*path, api=api, start=start, end=end, **params)

    async def plain(self, *path: str, api: str = API, **params: str | int) -> dict[str, Any]:
        """An answer that has no range."""
        where = api_questions.address(*path, api=api)
        given = {name: str(value) for name, value in params.items() if value != ""}
        address = f"{where}?{urlencode(given)}" if given else where
        if address not in self.asked:
            self.asked.append(address)
        return await self._all.answer(address, where, given)

    async def if_there(self, question: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
        """An answer, None where the server has no such thing."""
        try:
            return await question
        except AskError as error:
            if error.code != "not_found":
                raise
            return None

    def end(self) -> None:
        """Stop what is under way."""
        for task in self._all.answers.values():
            task.cancel()
