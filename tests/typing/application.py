"""A shop as its authors write it, under the strictest settings of mypy and pyright. test_types.py has it read."""

# pyright: strict
from __future__ import annotations

import asyncio
import datetime as dt
import queue
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import spanglass
from spanglass import ScrubMatch, SettingsError, Tracer
from spanglass.testing import FakeClock, SequentialIds, Telemetry, capture

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

orders = spanglass.counter("shop.orders", unit="{order}")
latency = spanglass.histogram("shop.latency", "s", buckets=(0.1, 1.0))
tracer = Tracer()


def keep_numbers(match: ScrubMatch) -> object:
    """Say what is sent instead."""
    return match.value if match.key.endswith("order_id") else None


def begin() -> bool:
    """Configure with every kind of option."""
    try:
        return spanglass.configure(
            service_name="shop",
            headers={"x-team": "shop"},
            metric_interval=dt.timedelta(seconds=10),
            send_timeout="2s",
            sample_ratio=0.5,
            semconv="new",
            disabled_instrumentations=["redis"],
            scrub_callback=keep_numbers,
        )
    except SettingsError as error:
        spanglass.fatal("settings: {error}", error=error)
        return False


class Cart:
    """What somebody buys."""

    def __init__(self, items: list[str]) -> None:
        self.items = items

    @spanglass.trace(capture_args=True)
    def total(self, *, discount: float = 0.0) -> float:
        """Sum it up."""
        return len(self.items) * (1 - discount)

    @property
    @spanglass.trace
    def empty(self) -> bool:
        """Whether nothing is in it."""
        return not self.items

    @classmethod
    @spanglass.trace
    def of(cls, *items: str) -> Cart:
        """Make one."""
        return cls(list(items))


@spanglass.trace
async def charge(cart: Cart, *, card: str) -> str:
    """Take the money."""
    with spanglass.span("card", amount=cart.total(discount=0.1)) as span:
        span.set("card.kind", card)
        span.set({"cart.items": cart.items}, urgent=True)
        await asyncio.sleep(0)
    return "paid"


@spanglass.trace
def batches(carts: list[Cart]) -> Iterator[Cart]:
    """Give one after the other."""
    yield from carts


@spanglass.trace("follow", capture_result=True)
async def follow(carts: list[Cart]) -> AsyncIterator[float]:
    """Give totals."""
    for cart in carts:
        yield cart.total()


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Begin and end."""
    begin()
    spanglass.watch_queue(queue.Queue[Cart](), "carts")
    spanglass.watch_queue(asyncio.Queue[int](maxsize=3), "numbers")
    yield
    spanglass.force_flush()
    spanglass.shutdown()


@spanglass.register_check("stock", timeout=1)
async def stock() -> bool:
    """Whether there is something to sell."""
    return True


async def handle(cart: Cart, user: int) -> str:
    """Serve a request."""
    with spanglass.set_user(user), spanglass.bind({"shop.tenant": "north"}, cart_size=len(cart.items)):
        orders.add(1, {"kind": "web"})
        latency.record(0.2)
        try:
            with spanglass.track_operation("charge"):
                paid: str = await charge(cart, card="visa")
        except ValueError as error:
            spanglass.error("could not charge {user}", user=user, exc_info=error)
            issue: str = spanglass.capture_exception(error, fingerprint=["charge"], attributes={"user": user})
            return issue
        handle = spanglass.start_span("later", parent=spanglass.current_span())
        handle.end()
        spanglass.event("paid", amount=cart.total())
        return paid if spanglass.is_healthy() else (await spanglass.check_health()).status


def test_one_query(telemetry: Telemetry) -> None:
    """Use the test kit."""
    with capture(clock=FakeClock(), ids=SequentialIds()) as captured:
        cart = Cart.of("tea")
        asyncio.run(handle(cart, 3))
        assert not cart.empty
    captured.assert_span("card", amount=0.9)
    names: list[str] = [each["name"] for each in captured.spans]
    bodies = [each["body"] for each in captured.logs]
    with telemetry.at_most_queries(3):
        assert names
        assert bodies
