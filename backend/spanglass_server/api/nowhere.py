"""Answers beside the routes of an API: where it is, and what no route takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route

from spanglass_server.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import HTTPConnection
    from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Beside:
    """What such answers share: who may ask, how an error looks in this API, and a sentence that says where it is."""

    authorize: Callable[[HTTPConnection], None]  # raises ApiError("unauthorized") or ApiError("forbidden")
    failed: Callable[[ApiError], Response]
    place: str


@dataclass(frozen=True, slots=True)
class Here:
    """Answers clients that only look whether there is such a server at the address they were given."""

    beside: Beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in a line of text."""
        try:
            self.beside.authorize(Request(scope))
            response: Response = PlainTextResponse(f"{self.beside.place}.\n")
        except ApiError as refused:
            response = self.beside.failed(refused)
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Answers requests that no route takes: a wrong method, or a path that does not exist."""

    beside: Beside
    served: Sequence[Route]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 405 when another method would be served, else 404."""
        allowed = self._methods(scope)
        error = _wrong_method(scope["method"], allowed) if allowed else self._no_such_path(scope)
        try:
            self.beside.authorize(Request(scope))
        except ApiError as refused:
            error = refused
        response = self.beside.failed(error)
        if error.problem.code == "method_not_allowed":
            response.headers["allow"] = ", ".join(allowed)
        await response(scope, receive, send)

    def _methods(self, scope: Scope) -> list[str]:
        """What is served at a path."""
        found = (route for route in self.served if route.matches(scope)[0] != Match.NONE)
        return sorted({method for route in found for method in route.methods or ()})

    def _no_such_path(self, scope: Scope) -> ApiError:
        """Some paths end with a slash, and others without one: easily mistaken."""
        path = str(scope["path"])
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        hint = f"did you mean {other}" if self._methods({**scope, "path": other}) else self.beside.place
        return ApiError("not_found", f"there is nothing at {path}", hint=hint)


def with_others(root: str, served: Sequence[Route], beside: Beside) -> list[BaseRoute]:
    """The routes of an API that other servers have too, with answers for all else below its root."""
    here = [Route(root + path, Here(beside), methods=["GET"]) for path in ("", "/", "/-/healthy", "/-/ready")]
    return [*served, *here, Route(f"{root}/{{rest:path}}", Nowhere(beside, served))]


def _wrong_method(method: str, allowed: Sequence[str]) -> ApiError:
    message = f"{method} is not served here, but {' and '.join(allowed)}"
    return ApiError("method_not_allowed", message, expected=allowed)
