"""``/status``: the page that anybody may see, as a file too, and the badges. Only with ``health.status_page``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spanglass_server.access.browsers import HEADERS
from spanglass_server.pages.health import looks
from spanglass_server.pages.health.badge import badge
from spanglass_server.pages.health.published import Publisher
from spanglass_server.pages.rendering import format as fmt
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.rendering.templates import make_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.pages.health.published import Published

_STYLES = ("spanglass.css", "status.css")
_CACHE = {"cache-control": "public, max-age=30"}
_DISK = "The server can't use its disk now. Try again.\n"


@dataclass(frozen=True, slots=True)
class StatusPage:
    """What the status page is called."""

    title: str
    version: str


def public_routes(desk: HealthDesk, page: StatusPage, clock_ns: Callable[[], int]) -> list[BaseRoute]:
    """The page (``/status``), the same as a file (``/status.html``) and as JSON, and badges."""
    public = _Public(page, Publisher(desk, clock_ns, UTC))
    return [
        public.route("/status", public.show),
        public.route("/status.html", public.save),
        public.route("/status.json", public.as_json),
        public.route("/status/badge.svg", public.badge),
        public.route("/status/{component:path}/badge.svg", public.badge_of),
        public.route("/status/{rest:path}", public.nothing),
    ]


def is_public(path: str) -> bool:
    """Whether a path is one of those above."""
    return path in {"/status", "/status.html", "/status.json"} or path.startswith("/status/")


class _Public:
    """What the routes answer."""

    def __init__(self, page: StatusPage, publisher: Publisher) -> None:
        assets = load_assets()
        self._page = page
        self._publisher = publisher
        self._template = make_environment(assets, page.version).get_template("health/public.html")
        self._styles = "\n".join(assets.files[name].decode() for name in _STYLES)

    def route(self, path: str, answer: Callable[[Published, Request], Response]) -> Route:
        """A route that answers from the page as it is."""

        async def endpoint(request: Request) -> Response:
            try:
                found = await asyncio.to_thread(self._publisher.now)
            except OSError:
                return PlainTextResponse(_DISK, 503, headers=HEADERS)
            return answer(found, request)

        return Route(path, endpoint, methods=["GET"], include_in_schema=False)

    def _render(self, found: Published, style: str) -> str:
        clock = fmt.Clock(UTC, found.time_ns)
        return self._template.render(found=found, title=self._page.title, clock=clock, style=style, looks=looks)

    def show(self, found: Published, _: Request) -> Response:
        """The page."""
        return Response(self._render(found, ""), media_type="text/html", headers={**HEADERS, **_CACHE})

    def save(self, found: Published, _: Request) -> Response:
        """The page with its styles in it, to be put on any other server."""
        headers = {**HEADERS, **_CACHE, "content-disposition": 'attachment; filename="status.html"'}
        return Response(self._render(found, self._styles), media_type="text/html", headers=headers)

    def as_json(self, found: Published, _: Request) -> Response:
        """The same for programs."""
        return JSONResponse(_json(found, self._page.title), headers={**HEADERS, **_CACHE})

    def nothing(self, _found: Published, _request: Request) -> Response:
        """What nobody is told of."""
        return PlainTextResponse("There is nothing here.\n", 404, headers=HEADERS)

    def badge(self, found: Published, _: Request) -> Response:
        """A badge of all public components together."""
        return _badge(self._page.title, looks.PUBLIC[found.status].lower(), found.status)

    def badge_of(self, found: Published, request: Request) -> Response:
        """A badge of one of them: its status, or with ``?uptime`` that of 90 days."""
        one = next((one for one in found.components if one.uid == request.path_params["component"]), None)
        if one is None:
            return PlainTextResponse("There is no public component of that name.\n", 404, headers=HEADERS)
        return _badge(one.name, one.uptime if "uptime" in request.query_params else one.word.lower(), one.status)


def _badge(name: str, text: str, status: str) -> Response:
    return Response(badge(name, text, status), media_type="image/svg+xml", headers={**HEADERS, **_CACHE})


def _json(found: Published, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "status": str(found.status),
        "time": fmt.rfc3339(found.time_ns),
        "components": [
            {"component": one.uid, "name": one.name, "status": str(one.status), "uptime_90d": one.share}
            for one in found.components
        ],
        "outages": [
            {
                "name": one.name,
                "start_time": fmt.rfc3339(one.start_ns),
                "end_time": fmt.rfc3339(one.end_ns) if one.end_ns else None,
            }
            for one in found.faults
        ],
    }
