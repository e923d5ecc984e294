"""The demo as `make demo` starts it, with the real server: what the switches promise is found there."""

from __future__ import annotations

import http.client
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from running import Shop, wait_until

from shop.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Demo

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

SERVICES = ["catalog", "checkout", "fulfilment", "payment", "web"]


class Spanglass:
    """The API of the running server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        """Ask the API; a refusal fails the test with the server's words."""
        answer = self._client.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, path: str, **parameters: Any) -> httpx.Response:
        """Get a page."""
        return self._client.get(path, params=parameters)


@pytest.fixture(scope="module")
def running(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Spanglass]]:
    arguments = ("--port", "0", "--grpc-port", "0", "--rate", "20")
    process, said = demo.start(tmp_path_factory.mktemp("demo"), *arguments)
    try:
        (url,) = re.findall(r"https?://\S+", said)
        (port,) = re.findall(r"port (\d+) of this machine", said)
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as shop,
            httpx.Client(base_url=url, timeout=60) as server,
        ):
            yield Shop(shop, None), Spanglass(server)
    finally:
        demo.stop(process)


def test_all_five_services_arrive(running: tuple[Shop, Spanglass]) -> None:
    """The customers alone make every service known to the server, with requests of each."""
    _, spanglass = running

    def served() -> list[str]:
        return sorted(row["service"] for row in spanglass.ask("/services")["services"] if row["requests"])

    wait_until(lambda: served() == SERVICES)


def test_services_keep_idle_connections(running: tuple[Shop, Spanglass]) -> None:
    """A connection that rested longer than clients and servers commonly keep one, 5 s, is still answered."""
    shop, _ = running
    connection = http.client.HTTPConnection(shop.client.base_url.host, shop.client.base_url.port, timeout=120)
    try:
        for rest_s in (0, 6):
            time.sleep(rest_s)
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"ok":true}')
    finally:
        connection.close()


def test_customers_are_users(running: tuple[Shop, Spanglass]) -> None:
    """Customers have ids and sessions, also in the services behind the front door, and what they did has names."""
    _, spanglass = running

    def use() -> tuple[bool, set[str], bool]:
        said = spanglass.ask("/users/summary")
        features = {row["name"] for row in spanglass.ask("/users/features")["features"]}
        behind = spanglass.ask("/spans", filter="service.name = checkout and user.id ~ '^c-'", limit=1)["spans"]
        return said["users"] > 0 and said["sessions"] > 0, features, bool(behind)

    wait_until(lambda: use() == (True, {"search", "order"}, True))


def test_the_shop_sends_every_family_of_telemetry(running: tuple[Shop, Spanglass]) -> None:
    """Requirement N13: of each service and host of the demo, everything that is required is there."""
    _, spanglass = running

    def missing() -> set[tuple[str, str]]:
        said = spanglass.ask("/coverage")["subjects"]
        if len(said) <= len(SERVICES):
            return {("host", "not yet")}
        return {
            (one["name"], cell["family"])
            for one in said
            for cell in one["families"]
            if cell["state"] in {"missing", "stale"}
        }

    wait_until(lambda: missing() == set())


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.filter_text], ids=lambda fault: fault.name)
def test_the_filter_of_a_fault_finds_it(running: tuple[Shop, Spanglass], fault) -> None:
    """The filter on the page finds traces, or logs, that were not there before the fault was on."""
    shop, spanglass = running
    signal = fault.page.removeprefix("/")
    before = {one["trace_id"] for one in spanglass.ask(fault.page, filter=fault.filter_text, limit=1000)[signal]}
    shop.turn(fault.name, on=True)
    try:
        wait_until(
            lambda: (
                {one["trace_id"] for one in spanglass.ask(fault.page, filter=fault.filter_text, limit=1000)[signal]}
                > before
            )
        )
    finally:
        shop.turn(fault.name, on=False)
    assert spanglass.page(fault.page, filter=fault.filter_text).status_code == 200


def test_the_business_metrics_can_be_asked_for(running: tuple[Shop, Spanglass]) -> None:
    """Orders, money, the queue and the memory of the processes are metrics with points."""
    _, spanglass = running
    wanted = {"shop.orders", "shop.revenue", "spanglass.queue.length", "shop.queue.wait", "process.memory.usage"}
    wait_until(lambda: wanted <= {metric["name"] for metric in spanglass.ask("/metrics")["metrics"]})
    wait_until(lambda: spanglass.ask("/metrics/query", name="spanglass.queue.length", aggregate="max")["series"] != [])


def test_the_shop_has_objectives(running: tuple[Shop, Spanglass]) -> None:
    """What the shop promises is counted from the start, and nothing is wrong with its file."""
    _, server = running
    answer = server.ask("/slos")
    assert answer["problems"] == []
    assert {one["uid"] for one in answer["slos"]} == {
        "orders-are-taken", "the-shop-answers-quickly", "orders-are-packed-soon",
    }  # fmt: skip
