"""One request for a page: its range, zone and questions, and what templates need of them."""

from __future__ import annotations

import asyncio
import re
import secrets
import zoneinfo
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from starlette.responses import HTMLResponse, StreamingResponse

from spanglass_core.model_prices import Prices
from spanglass_server import api_questions
from spanglass_server.access.browsers import HEADERS
from spanglass_server.access.packing import accepts_gzip, in_pieces, is_worth_packing, pack
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.charts import Buckets
from spanglass_server.pages.rendering.format import Clock
from spanglass_server.pages.saved.navigation import kept_views
from spanglass_server.pages.window import DEFAULT_LAST, SECOND_NS, Window, read_window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import tzinfo

    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response

    from spanglass_server.pages.ports import Api, FirstTime, Health, Pinned, SeenViews
    from spanglass_server.pages.window import WindowError

#: Parameters of the time range.
RANGE = ("last", "start", "end")
#: Longer values are not offered as a search: no one means the whole of a stack trace.
MOST_SEARCHED = 300
#: The cookie in which the browser names its time zone, so that pages show the reader's wall clock from the server on.
ZONE_COOKIE = "spanglass_zone"
#: The cookie in which the browser names its reader, whose own views are then shown too.
READER_COOKIE = "spanglass_reader"
#: What an encoded path is made of besides letters and digits.
_OF_PATHS = "/%:@!$&'()*+,;=~"
_PAGE_HEADERS = {**HEADERS, "cache-control": "no-cache", "vary": "cookie, accept-encoding"}
ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True)
class Site:
    """What all pages share: the API, the templates, and what the server tells of itself (``ports.Server``)."""

    api: Api
    clock_ns: Callable[[], int]
    templates: Environment
    health: Health
    first_time: FirstTime
    firing: Callable[[], int] = lambda: 0
    prices: Prices = Prices()  # noqa: RUF009 - it is frozen
    views: SeenViews = lambda _: ()
    pinned: Pinned = lambda _: None


class Visit:
    """A request for a page. ``window`` raises ``WindowError`` when the URL's range cannot be read.

    After ``leave_range`` it is the default one; ``unread`` says what is wrong with the URL's, which ``typed`` has.

    ``longest_default`` is how long the range of a URL without one is at most, a preset; a page may change it before it
    uses the range.
    """

    together = staticmethod(api_questions.together)

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.request = request
        self.params: Mapping[str, str] = request.query_params
        self.zone_name, zone = read_zone(unquote(request.cookies.get(ZONE_COOKIE, "")))
        self.reader = unquote(request.cookies.get(READER_COOKIE, ""))
        self.clock = Clock(zone, site.clock_ns())
        self.longest_default = DEFAULT_LAST
        self._window: Window | None = None
        self.unread: WindowError | None = None
        self.typed: Mapping[str, str] = {}

    @property
    def window(self) -> Window:
        """The page's time range."""
        if self._window is None:
            self._window = read_window(self.params, self.clock, self.site.first_time(), self.longest_default)
        return self._window

    def leave_range(self, error: WindowError) -> None:
        """Go on with the default range where the URL's cannot be read; links leave it out, its form keeps it."""
        self.unread, self.typed = error, {name: self.param(name) for name in RANGE}
        self.params = {name: text for name, text in self.params.items() if name not in RANGE}

    @property
    def path(self) -> str:
        """The page's path as it stands in its address: encoded, so that each name in it stays the one that it is."""
        return quote(self.request.scope.get("raw_path") or self.request.scope["path"].encode(), safe=_OF_PATHS)

    @property
    def until_s(self) -> float:
        """How far the page's time range has come, in Unix seconds."""
        return min(self.window.end_ns, self.clock.now_ns) / SECOND_NS

    def buckets(self, times_s: Sequence[float], step_s: float) -> Buckets:
        """Return the time axis of a series of the page's range."""
        return Buckets(times_s, step_s, self.window.start_ns / SECOND_NS, self.until_s)

    def param(self, name: str) -> str:
        """Return a query parameter without surrounding blanks, empty when missing."""
        return self.params.get(name, "").strip()

    def exact(self, name: str) -> str:
        """Return a query parameter as it stands, for names from telemetry: they may begin and end with blanks."""
        return self.params.get(name, "")

    async def api(self, *path: str, **params: str | int | None) -> dict[str, Any]:
        """Return the API's answer to a path below ``/api/v1``: parts are encoded here, empty parameters left out."""
        where = api_questions.address(*path)
        return await self.site.api(where, {key: str(value) for key, value in params.items() if value not in (None, "")})

    async def ask(self, *path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the API's answer to a question with a body, in the page's time range."""
        where = api_questions.address(*path)
        return await self.site.api(where, self.window.as_params(), body)

    async def attempt(self, question: Awaitable[dict[str, Any]], otherwise: dict[str, Any]) -> dict[str, Any]:
        """Return an answer that a page can do without: ``otherwise``, with the reason as ``problem``, for an error."""
        try:
            return {"problem": None, **await question}
        except ApiError as error:
            return {**otherwise, "problem": str(error)}

    def here(self, **changes: str | None) -> str:
        """Return this page with some parameters changed, or left out (``None``); a list starts from its first page."""
        return self.link(self.path, {**dict(self.params), "cursor": None, **changes})

    def go(self, path: str, **params: str | None) -> str:
        """Return a link to another page, in the same time range when the URL has one."""
        return self.link(path, {**self.range_params(), **params})

    def to_service(self, service: str, **params: str | None) -> str:
        """Return a link to a service's page."""
        return self.go(f"/services/{quote(service, safe='')}", **params)

    def to_issue(self, issue: str, **params: str | None) -> str:
        """Return a link to an issue's page."""
        return self.go(f"/issues/{quote(issue, safe='')}", **params)

    def to_alert(self, alert: str) -> str:
        """Return a link to an alert's page, which has no time range."""
        return f"/alerts/{quote(alert, safe='')}"

    def to_rule(self, rule: str) -> str:
        """Return a link to the page of an alert rule."""
        return f"/rules/{quote(rule, safe='')}"

    def near(self, path: str, params: Mapping[str, str], key: str, value: Any) -> str | None:
        """Return a link that searches records with the same attribute; nothing for values that are not single."""
        if not isinstance(value, str | int | float) or len(str(value)) > MOST_SEARCHED or terms.is_lost(key):
            return None
        return self.link(path, {**params, "filter": terms.attribute(key, value)})

    def range_params(self) -> dict[str, str]:
        """Return the range's own parameters."""
        return {name: self.params[name] for name in RANGE if self.params.get(name)}

    @staticmethod
    def link(path: str, params: Mapping[str, str | None]) -> str:
        """Return a path with query parameters; empty ones are left out."""
        query = urlencode({key: value for key, value in params.items() if value}, quote_via=quote)
        return f"{path}?{query}" if query else path

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Render a template with the visit and ``values``."""
        body = self.site.templates.get_template(template).render(**self._shared(), **values).encode()
        headers = dict(_PAGE_HEADERS)
        if is_worth_packing(body) and accepts_gzip(self.request):
            body, headers["content-encoding"] = pack(body), "gzip"
        return HTMLResponse(body, status_code=status, headers=headers)

    async def page_of_data(self, template: str, data: bytes, **values: Any) -> Response:
        """Render a template in a thread, and send it in pieces: its ``data``, which it has once, may be large."""
        mark, shared = secrets.token_hex(16), self._shared()
        render = self.site.templates.get_template(template).render
        html = await asyncio.to_thread(render, **shared, **values, data=mark)
        before, _, after = html.partition(mark)
        packs, headers = accepts_gzip(self.request), dict(_PAGE_HEADERS)
        if packs:
            headers["content-encoding"] = "gzip"
        return StreamingResponse(
            in_pieces((before.encode(), data, after.encode()), packs=packs), headers=headers, media_type="text/html"
        )

    def _shared(self) -> dict[str, Any]:
        """Return what all templates are given."""
        return {"visit": self, "clock": self.clock, "unhealthy": self.site.health(), "open_alerts": self.site.firing(),
                "saved": kept_views(self)}  # fmt: skip


def read_zone(name: str) -> tuple[str, tzinfo]:
    """Return a time zone by its IANA name; UTC when there is none of that name."""
    if ZONE_NAME.fullmatch(name):
        try:
            return name, zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return "UTC", UTC
