"""payment: charges cards after checking the amount with the catalog. Flask and requests, old semantic conventions."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

import requests
from flask import abort, request
from opentelemetry import metrics, trace

from shop import layout, telemetry
from shop.faults import Switches
from shop.http_flask import make_app, serve
from shop.slow_host import SlowHost

if TYPE_CHECKING:
    from flask import Flask

CALL_TIMEOUT_S = 10
REFUSED_OF = 4
"""Of so many charges all but one are refused while `retry_storm` is on."""

logger = logging.getLogger("shop.payment")
charges = metrics.get_meter("shop.payment").create_counter("shop.charges", "{charge}", "Charges by card and outcome.")


class ProviderTimeout(Exception):  # noqa: N818  # named as the provider's own client library does
    """The card provider did not answer in time; whether the card was charged is not known."""


def build(switches: Switches) -> Flask:
    """Make the app."""
    app = make_app("payment")
    attempts, refusals = itertools.count(1), itertools.count(1)
    fraud = SlowHost()
    session = requests.Session()

    @app.post("/charges")
    def charge() -> dict[str, Any]:
        wanted = request.get_json()
        span = trace.get_current_span()
        span.set_attributes({"shop.order.id": wanted["order_id"], "shop.card.brand": wanted["card"]})
        quote = session.post(f"{layout.url('catalog')}/quotes", json={"items": wanted["items"]}, timeout=CALL_TIMEOUT_S)
        quote.raise_for_status()
        if quote.json()["total_cents"] != wanted["amount_cents"]:
            abort(409, "the amount is not the price of the items")
        if switches.is_on("slow_external"):
            session.get(f"{fraud.url}/scores", params={"order": wanted["order_id"]}, timeout=CALL_TIMEOUT_S)
        if switches.is_on("retry_storm") and next(refusals) % REFUSED_OF:
            charges.add(1, {"shop.card.brand": wanted["card"], "shop.outcome": "refused"})
            abort(503, "too much to do, try again")
        if switches.is_on("payment_failure") and next(attempts) % 2:
            charges.add(1, {"shop.card.brand": wanted["card"], "shop.outcome": "timeout"})
            message = f"no answer from the {wanted['card']} gateway within 2000 ms"
            raise ProviderTimeout(message)
        charges.add(1, {"shop.card.brand": wanted["card"], "shop.outcome": "charged"})
        logger.info("Charged order %s: %d cents on %s", wanted["order_id"], wanted["amount_cents"], wanted["card"])
        return {"receipt": f"r-{wanted['order_id']}"}

    return app


def main() -> None:
    """Serve."""
    telemetry.set_up(layout.service("payment"))
    serve(build(Switches(layout.switches_file())), "payment")
