"""``/n/{token}``: what a link in a message would do, with a button that does it. Opening the page changes nothing.

Programs that check mails follow every link in them: only the button acts. Nobody needs to log in: who has the message
may do what it offers, until it expires, once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse
from starlette.routing import Route

from spanglass_server.access.browsers import HEADERS
from spanglass_server.notifications.links.desk import DURATIONS_NS, LinkError, Refusal
from spanglass_server.pages.rendering import format as fmt
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.rendering.templates import make_environment
from spanglass_server.pages.visit import ZONE_COOKIE, read_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from spanglass_server.notifications.links.desk import Links

_MOST_BYTES = 4_096  # of a form
_MOST_NAME = 80
_MOST_ALERTS = 10
_UNAVAILABLE = 503
_WORDS = {"1h": "1 hour", "4h": "4 hours", "24h": "24 hours", "3d": "3 days"}


class _Refused(NamedTuple):
    """Why nothing is done: the status, a title, and what to do."""

    status: int
    title: str
    text: str


_REFUSED = {
    Refusal.UNKNOWN: _Refused(
        404, "This link is not complete", "Copy the whole address from the message, or open the alerts."
    ),
    Refusal.EXPIRED: _Refused(410, "This link has expired", "Open the alerts to do it there."),
    Refusal.USED: _Refused(410, "This link was used", "It works once. Open the alerts to see what became of it."),
    Refusal.GONE: _Refused(410, "What this link is about is gone", "Its alerts are no longer kept."),
}
_LARGE = _Refused(
    413, "Nothing was done: the form is too large", "Go back, write a shorter name, and press the button again."
)
_DISK = _Refused(
    _UNAVAILABLE, "This can't be done now", "The server can't use its disk. Try again, or open the alerts."
)


class _Shown(NamedTuple):
    """What every such page needs."""

    templates: Environment
    clock_ns: Callable[[], int]


def link_routes(links: Links, version: str, clock_ns: Callable[[], int]) -> list[BaseRoute]:
    """The page that confirms, and what its button does."""
    shown = _Shown(make_environment(load_assets(), version), clock_ns)

    async def offer(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            found = await asyncio.to_thread(links.offer, token)
        except LinkError as error:
            return _refuse(shown, request, _REFUSED[error.refusal])
        except OSError:
            return _refuse(shown, request, _DISK)
        return _page(shown, request, "links/offer.html", 200, offer=found, alerts=found.alerts[:_MOST_ALERTS],
                     more=max(0, len(found.alerts) - _MOST_ALERTS), durations=_WORDS)  # fmt: skip

    async def use(request: Request) -> Response:
        form = await _form(request)
        if form is None:
            return _refuse(shown, request, _LARGE)
        name = "".join(letter for letter in " ".join(form.get("name", "").split()) if letter.isprintable())[:_MOST_NAME]
        duration_ns = DURATIONS_NS.get(form.get("duration", ""), DURATIONS_NS["1h"])
        try:
            done = await asyncio.to_thread(links.use, request.path_params["token"], name, duration_ns)
        except LinkError as error:
            return _refuse(shown, request, _REFUSED[error.refusal])
        except OSError:
            return _refuse(shown, request, _DISK)
        return _page(shown, request, "links/done.html", 200, done=done)

    return [
        Route("/n/{token:path}", offer, methods=["GET"], include_in_schema=False),
        Route("/n/{token:path}", use, methods=["POST"], include_in_schema=False),
    ]


async def _form(request: Request) -> dict[str, str] | None:
    """The first value of each field of a small form; None for one that is larger than the page's can be."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return None
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:  # more fields than the page has
        return {}
    return {name: values[0] for name, values in found.items()}


def _refuse(shown: _Shown, request: Request, refused: _Refused) -> Response:
    return _page(shown, request, "links/refused.html", refused.status, refused=refused)


def _page(shown: _Shown, request: Request, template: str, status: int, **values: Any) -> Response:
    _, zone = read_zone(request.cookies.get(ZONE_COOKIE, ""))
    clock = fmt.Clock(zone, shown.clock_ns())
    html = shown.templates.get_template(template).render(clock=clock, **values)
    # the address is a key: it goes to no other page, and is kept in no cache
    return HTMLResponse(html, status, {**HEADERS, "cache-control": "no-store", "referrer-policy": "no-referrer"})
