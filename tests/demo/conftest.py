"""A shop to test, and a real OTLP/HTTP receiver that it sends to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "demo"), str(HERE), str(HERE.parent / "browser")]

from chromium import launched  # noqa: E402  # found on the path that the line above sets
from otlp_receiver import Receiver  # noqa: E402
from running import Demo, Shop, only_url  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


# Of a module, not of the session: five processes that nobody needs any more would take most of a core until its end.
@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="session")
def demo() -> Demo:
    return Demo()


@pytest.fixture(scope="module")  # no longer: while the driver lives, asyncio.run() fails for every other test here
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def running_shop(demo: Demo, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data = tmp_path_factory.mktemp("demo")
    process, said = demo.start(data, "--send-to", receiver.url, "--rate", "0")
    try:
        with httpx.Client(base_url=only_url(said), timeout=120) as client:
            yield Shop(client, receiver)
    finally:
        demo.stop(process)


@pytest.fixture
def shop(running_shop: Shop) -> Iterator[Shop]:
    yield running_shop
    for fault in running_shop.client.get("/api/faults").json()["faults"]:
        if fault["on"]:
            running_shop.turn(fault["name"], on=False)
