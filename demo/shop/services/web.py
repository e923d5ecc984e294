"""web: the shop's front door, and the page with the fault switches. FastAPI and httpx, new semantic conventions."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader

import spanglass
from shop import layout, telemetry
from shop.faults import FAULTS, LEAK_LIMIT_BYTES, NAMES, Switches
from shop.http_fastapi import CALL_TIMEOUT_S, make_app, serve
from shop.surprise import SecretError, Surprise

PAGES = Path(__file__).parent.parent / "pages"
LEAK_BYTES, LEAK_EVERY = 2**20, 8

logger = logging.getLogger("shop.web")


class RecentlyViewed:
    """What customers looked at, with the picture: a cache that, while leaking, forgets to evict."""

    def __init__(self) -> None:
        self._pictures: list[bytearray] = []
        self._views = 0

    def add(self, *, leaking: bool) -> None:
        """Keep one more picture for some views while leaking, up to LEAK_LIMIT_BYTES; else let go of all of them."""
        self._views += 1
        if not leaking:
            self._pictures.clear()
        elif self._views % LEAK_EVERY == 0 and len(self._pictures) * LEAK_BYTES < LEAK_LIMIT_BYTES:
            # Not zeros: the system gives real memory only to pages that were written to.
            self._pictures.append(bytearray(b"\x5a") * LEAK_BYTES)


async def _forward(call: Any) -> dict[str, Any]:
    """Wait for a call to a service behind us and hand its answer on, its failures as ours."""
    try:
        answer: httpx.Response = await call
    except httpx.TransportError as error:
        logger.exception("A service behind us does not answer")
        raise HTTPException(502, "the shop is not well, please try again later") from error
    if answer.is_server_error:
        logger.error("%s %s answered %d", answer.request.method, answer.request.url.path, answer.status_code)
        raise HTTPException(502, "the shop is not well, please try again later")
    if answer.is_client_error:
        raise HTTPException(answer.status_code, answer.json() if _is_json(answer) else "refused")
    return dict(answer.json())


def _is_json(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("application/json")


async def _know_customer(
    customer: Annotated[str, Header(alias="x-shop-customer")] = "",
    session: Annotated[str, Header(alias="x-shop-session")] = "",
) -> None:
    """Say whose request this is; the services behind us are told by baggage."""
    if session:
        spanglass.set_session(session)
    if customer:
        spanglass.set_user(customer)


def _add_shop(app: FastAPI, switches: Switches) -> None:
    client = httpx.AsyncClient(timeout=CALL_TIMEOUT_S)
    viewed = RecentlyViewed()
    catalog, checkout = layout.url("catalog"), layout.url("checkout")
    shop = APIRouter(dependencies=[Depends(_know_customer)])

    @shop.get("/api/products")
    async def search(q: str = "") -> dict[str, Any]:
        spanglass.event("search", words=q)
        return await _forward(client.get(f"{catalog}/products", params={"q": q}))

    @shop.get("/api/products/{product_id}")
    async def product(product_id: str) -> dict[str, Any]:
        viewed.add(leaking=switches.is_on("memory_leak"))
        found = await _forward(client.get(f"{catalog}/products/{product_id}"))
        if switches.is_on("sequential_calls"):
            for part in ("reviews", "stock", "prices"):
                found |= await _forward(client.get(f"{catalog}/products/{product_id}/{part}"))
        return found

    @shop.post("/api/orders", status_code=201)
    async def place_order(order: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        placed = await _forward(client.post(f"{checkout}/orders", json=order))
        spanglass.event("order", order=placed["id"])
        return placed

    @shop.get("/api/orders/{order_id}")
    async def find_order(order_id: str) -> dict[str, Any]:
        return await _forward(client.get(f"{checkout}/orders/{order_id}"))

    app.include_router(shop)


def _add_switches(app: FastAPI, switches: Switches, surprise: Surprise, spanglass_url: str) -> None:
    page = Environment(loader=FileSystemLoader(PAGES), autoescape=True).get_template("switches.html")
    app.mount("/static", StaticFiles(directory=PAGES / "static"))

    @app.get("/", response_class=HTMLResponse)
    def show() -> HTMLResponse:
        on, game = switches.on(), surprise.game()  # in this order: what begins in between is not told
        secret = game is not None and game.is_secret
        html = page.render(
            faults=FAULTS,
            on=frozenset() if secret else on,
            spanglass_url=spanglass_url,
            shop_url=layout.url("web"),
            game=game,
            hidden=next((fault for fault in FAULTS if game and fault.name == game.fault), None),
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": "default-src 'self'"})

    @app.post("/faults/{name}/{state}")
    def press(name: str, state: str) -> RedirectResponse:
        _turn(surprise, name, on=state == "on")
        return RedirectResponse("/", status_code=303)

    @app.get("/api/faults")
    def list_faults() -> dict[str, Any]:
        on, secret = switches.on(), surprise.is_secret
        faults = [
            {"name": fault.name, "title": fault.title, "on": None if secret else fault.name in on} for fault in FAULTS
        ]
        return {"faults": faults, "surprise": secret}

    @app.put("/api/faults/{name}")
    def turn(name: str, on: Annotated[bool, Body(embed=True)]) -> dict[str, Any]:
        _turn(surprise, name, on=on)
        return {"name": name, "on": on}


def _add_surprise(app: FastAPI, surprise: Surprise) -> None:
    """Routes of the buttons. What is on is not logged: the log is telemetry, too."""

    def back(say: str) -> RedirectResponse:
        logger.warning("Surprise: %s", say)
        return RedirectResponse("/", status_code=303)

    @app.post("/surprise/start")
    def start() -> RedirectResponse:
        surprise.start()
        return back("a fault is on")

    @app.post("/surprise/guess/{name}")
    def guess(name: str) -> RedirectResponse:
        _known(name)
        surprise.guess(name)
        return back("a guess")

    @app.post("/surprise/tell")
    def tell() -> RedirectResponse:
        surprise.tell()
        return back("it was told")

    @app.post("/surprise/end")
    def end() -> RedirectResponse:
        surprise.end()
        return back("it is over")


def _known(name: str) -> None:
    if name not in NAMES:
        raise HTTPException(404, f"no fault {name!r}; there are {', '.join(sorted(NAMES))}")


def _turn(surprise: Surprise, name: str, *, on: bool) -> None:
    _known(name)
    try:
        surprise.turn(name, on=on)
    except SecretError as error:
        message = (
            "a surprise is on, and switching faults would tell it: guess it or press 'Tell me' on the page of the "
            "switches (POST /surprise/tell), then try again"
        )
        raise HTTPException(409, message) from error
    logger.warning("Fault %s is %s", name, "on" if on else "off")


def build(switches: Switches, surprise: Surprise, spanglass_url: str) -> FastAPI:
    """Make the app."""
    app = make_app("web")
    _add_shop(app, switches)
    _add_switches(app, switches, surprise, spanglass_url)
    _add_surprise(app, surprise)
    return app


def main() -> None:
    """Serve."""
    telemetry.set_up(layout.service("web"))
    switches = Switches(layout.switches_file())
    serve(build(switches, Surprise(switches), os.environ.get("SPANGLASS_URL", "")), "web")
