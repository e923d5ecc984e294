"""What pages of other sites may not do, and what everybody else may."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from spanglass_server.access.browsers import BrowserGuard, HostNames

PAGE, API, OTLP = "/traces", "/api/v1/services", "/v1/traces"
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def ask():
    """Return a function that sends a request with these headers, and returns the answer."""

    async def answer(_):
        return PlainTextResponse("in")

    routes = [Route(path, answer, methods=["GET", "POST"]) for path in (PAGE, API, OTLP, "/healthz", "/metrics")]

    async def request(names, method, path, headers):
        transport = httpx.ASGITransport(BrowserGuard(Starlette(routes=routes), names))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    def send(path, headers, method="GET", names=HostNames("127.0.0.1", ("spanglass.lan",))):  # noqa: B008 - immutable
        return asyncio.run(request(names, method, path, headers))

    return send


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("LocalHost:4318", True),
        ("localhost.", True),
        ("shop.localhost:4318", True),
        ("127.0.0.1:4318", True),
        ("192.168.1.7", True),
        ("[::1]:4318", True),
        ("spanglass.lan:80", True),
        (socket.gethostname(), True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evillocalhost", False),
        ("localhost@evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_names_of_the_server(host, allowed):
    """Loopback names, addresses, the machine's name and those of the setting are the server's; no other is."""
    assert HostNames("127.0.0.1", ("spanglass.lan",)).allow(host) is allowed


def test_any_name_if_the_setting_says_so():
    """A star allows every name, and the host that is listened on is one too."""
    assert HostNames("127.0.0.1", ("*",)).allow("evil.example")
    assert HostNames("spanglass.internal").allow("spanglass.internal:4318")


@pytest.mark.parametrize("path", [PAGE, API])
def test_a_rebound_name_is_refused(ask, path):
    """A page whose name points here reads nothing, and the answer says which setting allows a name."""
    refused = ask(path, {"host": "evil.example:4318"})
    assert refused.status_code == 403
    assert "'evil.example:4318'" in refused.text
    assert "server.allowed_hosts" in refused.text


@pytest.mark.parametrize("path", [OTLP, "/healthz", "/metrics"])
def test_senders_and_monitors_use_any_name(ask, path):
    """Containers reach the server as host.docker.internal; what they send and scrape shows no telemetry."""
    assert ask(path, {"host": "host.docker.internal:4318"}).text == "in"


def test_the_page_at_the_scrapers_address_is_guarded_as_all_pages(ask):
    """A rebound name may scrape the server's own figures, but not read the stored metrics, nor those below."""
    evil = {"host": "evil.example:4318"}
    assert ask("/metrics", {**evil, "accept": "text/html,*/*;q=0.8"}).status_code == 403
    assert ask("/metrics/shop.orders", evil).status_code == 403
    assert ask("/metrics", {**evil, "accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}).text == "in"
    assert ask("/metrics", {"accept": "text/html"}).text == "in"


def test_with_a_token_any_name_will_do(ask):
    """A server that asks for its token is served under whatever name a proxy has."""
    assert ask(PAGE, {"host": "spanglass.example"}, names=None).text == "in"


@pytest.mark.parametrize(
    ("path", "method", "headers", "allowed"),
    [
        (API, "GET", {}, True),
        (API, "POST", {}, True),
        (API, "GET", {"sec-fetch-site": "same-origin"}, True),
        (API, "POST", {"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, True),
        (API, "GET", {"sec-fetch-site": "none", **LINK}, True),
        (PAGE, "GET", {"sec-fetch-site": "cross-site", **LINK}, True),
        (PAGE, "GET", {"sec-fetch-site": "cross-site", **LINK, "sec-fetch-dest": "iframe"}, False),
        (PAGE, "POST", {"sec-fetch-site": "cross-site", **LINK}, False),
        (API, "GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        (API, "GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, False),
        (API, "POST", {"sec-fetch-site": "cross-site"}, False),
        (API, "POST", {"origin": "http://localhost"}, True),
        (API, "POST", {"origin": "http://localhost:3000"}, False),
        (API, "POST", {"origin": "https://evil.example"}, False),
        (API, "GET", {"origin": "null"}, False),
        (OTLP, "POST", {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}, True),
    ],
)
@pytest.mark.parametrize("names", [None, HostNames("127.0.0.1")], ids=["with a token", "without"])
def test_requests_of_other_sites(ask, names, path, method, headers, allowed):
    """Pages of other sites start no question; links to our pages work, and so does whoever is no browser."""
    answer = ask(path, headers, method, names=names)
    assert answer.status_code == (200 if allowed else 403)


def test_the_api_refuses_in_its_own_shape(ask):
    """A refusal of the API is the JSON of its errors, and says what to do."""
    error = ask(API, {"sec-fetch-site": "cross-site"}).json()["error"]
    assert error["code"] == "forbidden"
    assert error["hint"].startswith("open the address itself")


def test_prometheus_api_refuses_in_its_own_shape(ask):
    """A refusal below /prometheus has the shape of Prometheus' errors."""
    answer = ask("/prometheus/api/v1/query", {"sec-fetch-site": "cross-site"}).json()
    assert (answer["status"], answer["errorType"]) == ("error", "forbidden")
    assert answer["error"].startswith("a page of another site has made this request; ")
