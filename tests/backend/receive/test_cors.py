from __future__ import annotations

import pytest
from receivers import RecordingIngest, request, serving_http

from spanglass_server.receive.cors import Cors
from spanglass_server.receive.intake import Intake

SHOP = "https://shop.example"


def preflight(cors: Cors, origin: str, path: str = "/v1/traces"):
    with serving_http(Intake(RecordingIngest()), cors) as port:
        return request(port, path, method="OPTIONS", origin=origin, access_control_request_method="POST")


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_a_preflight_of_a_configured_origin_is_answered(path):
    """The browser learns origin, method, headers and for how long."""
    answer = preflight(Cors(origins=(SHOP,), headers=("X-Tenant",), max_age_s=60), SHOP, path)
    assert (answer.status, answer.body) == (204, b"")
    assert {name: value for name, value in answer.headers.items() if name not in {"date", "server"}} == {
        "access-control-allow-origin": SHOP,
        "vary": "Origin",
        "access-control-expose-headers": "Retry-After",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Content-Type, Content-Encoding, Authorization, X-Tenant",
        "access-control-max-age": "60",
    }


def test_other_origins_get_nothing():
    """A page of another origin is told neither by the preflight nor by the answer that it may send."""
    answer = preflight(Cors(origins=(SHOP,)), "https://evil.example")
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (405, False)


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("https://*.shop.example", "https://www.shop.example", True),
        ("https://*.shop.example", "https://a.b.shop.example", True),
        ("https://*.shop.example", "https://shop.example", False),
        ("https://*.shop.example", "https://www.shop.example.evil.example", False),
        ("https://*.shop.example", "https://evil.example/.shop.example", False),
        ("https://*.shop.example", "http://www.shop.example", False),
        ("http://localhost:*", "http://localhost:5173", True),
        ("http://localhost:*", "http://localhost.evil.example", False),
        ("https://shop.example", "https://shopXexample", False),
        ("*", "https://anywhere.example", True),
    ],
)
def test_a_star_stands_for_part_of_a_host_or_port(pattern, origin, allowed):
    """Wildcards never reach past a slash, and dots are dots."""
    assert bool(Cors(origins=(pattern,)).answer(origin)) is allowed


def test_answers_carry_the_origin_errors_too():
    """Without it the page could not read why its data was refused."""
    with serving_http(Intake(RecordingIngest()), Cors(origins=(SHOP,))) as port:
        taken = request(port, "/v1/traces", b"{}", content_type="application/json", origin=SHOP)
        refused = request(port, "/v1/traces", b"{", content_type="application/json", origin=SHOP)
    assert [(answer.status, answer.headers["access-control-allow-origin"]) for answer in (taken, refused)] == [
        (200, SHOP),
        (400, SHOP),
    ]


def test_credentials_need_named_origins():
    """Any origin with cookies would let every page act as the user."""
    assert (b"access-control-allow-credentials", b"true") in Cors(origins=(SHOP,), credentials=True).answer(SHOP)
    with pytest.raises(ValueError, match="cannot be combined with credentials"):
        Cors(origins=("*",), credentials=True)


def test_it_is_off_by_default():
    """Without configured origins no page may send."""
    assert Cors().answer(SHOP) == []
    assert Cors().preflight(SHOP) is None
