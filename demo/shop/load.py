"""Customers: a bounded stream of requests along believable journeys. Not instrumented, as browsers are not.

The rate is a limit, not a target: when the shop is slow, customers wait, and fewer requests are sent.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx

from shop import layout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CUSTOMERS = 4
WORDS = ("", "", "", "e", "telescope", "prism", "brass", "oak")
CARDS = ("visa", "visa", "visa", "mastercard", "mastercard", "amex")
TENANTS = ("acme", "acme", "acme", "birch", "cedar", "delta")
PRODUCT_COUNT = 40
HEADERS = {"user-agent": "shop-customer/1.0"}
#: Who comes again, some of them often; nobody else says who they are.
REGULARS = 60


class Pace:
    """Gives out starting times, `per_s` a second at most, whoever asks."""

    def __init__(self, per_s: float, now_s: Callable[[], float], pause: Callable[[float], Awaitable[object]]) -> None:
        self._gap_s = 1 / per_s
        self._now_s = now_s
        self._pause = pause
        self._next_s = now_s()

    async def turn(self) -> None:
        """Wait until the next request may be sent. Turns that were not taken are lost, so there is never a burst."""
        start_s = max(self._next_s, self._now_s())
        self._next_s = start_s + self._gap_s
        await self._pause(start_s - self._now_s())


class Customer:
    """One customer at a time, one request at a time."""

    def __init__(self, client: httpx.AsyncClient, pace: Pace, chance: random.Random) -> None:
        self._client = client
        self._pace = pace
        self._chance = chance
        self._headers: dict[str, str] = {}  # of this customer's requests alone: all have one client

    async def visit(self) -> None:
        """Make one visit to the shop, as a regular customer or as a guest."""
        session = f"s-{self._chance.getrandbits(48):012x}"
        self._headers = {"x-shop-session": session, "x-shop-customer": self._who()}
        (journey,) = self._chance.choices((self.browse, self.buy, self.lose_the_way), weights=(55, 40, 5))
        await journey()

    async def browse(self) -> None:
        """Search, and look at a few products."""
        await self._get("/api/products", q=self._chance.choice(WORDS))
        for _ in range(self._chance.randint(1, 3)):
            await self._get(f"/api/products/{self._product()}")

    async def buy(self) -> None:
        """Search, look, order, and ask where the order is."""
        await self._get("/api/products", q=self._chance.choice(WORDS))
        chosen = self._product()
        await self._get(f"/api/products/{chosen}")
        order = {
            "email": f"customer{self._chance.randrange(500)}@example.com",
            "card": self._chance.choice(CARDS),
            "tenant": self._chance.choice(TENANTS),
            "items": {chosen: self._chance.randint(1, 3), self._product(): 1},
        }
        await self._pace.turn()
        placed = await self._client.post("/api/orders", json=order, headers=self._headers)
        if placed.is_success:
            await self._get(f"/api/orders/{placed.json()['id']}")

    async def lose_the_way(self) -> None:
        """Follow an old link."""
        await self._get(f"/api/products/p-{self._chance.randint(90, 99)}")

    async def _get(self, path: str, **parameters: str) -> None:
        await self._pace.turn()
        await self._client.get(path, params=parameters, headers=self._headers)

    def _who(self) -> str:
        """The id of a customer, a few of whom come most; empty for one visit in five."""
        return f"c-{int(REGULARS * self._chance.random() ** 2):03}" if self._chance.random() < 0.8 else ""

    def _product(self) -> str:
        return f"p-{self._chance.randint(1, PRODUCT_COUNT):02}"


async def _come_again_and_again(customer: Customer) -> None:
    while True:
        try:
            await customer.visit()
        except httpx.HTTPError:
            # A shop that is broken on purpose loses customers; the next one comes a second later.
            await asyncio.sleep(1)


async def run(base_url: str, per_s: float) -> None:
    """Send at most `per_s` requests a second, for ever."""
    loop = asyncio.get_running_loop()
    pace = Pace(per_s, loop.time, asyncio.sleep)
    async with (
        AsyncExitStack() as clients,
        asyncio.TaskGroup() as customers,
    ):
        for seed in range(CUSTOMERS):
            client = await clients.enter_async_context(
                httpx.AsyncClient(base_url=base_url, timeout=30, headers=HEADERS)
            )
            customers.create_task(_come_again_and_again(Customer(client, pace, random.Random(seed))))


def main() -> None:
    """Send load to the web service at the rate of SHOP_RATE until SIGTERM."""
    asyncio.run(run(layout.url("web"), float(os.environ["SHOP_RATE"])))
