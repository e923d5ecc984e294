"""The fault switches: what can be broken, and which of it is broken now."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a dataclass field

CURSED_PRODUCT = "p-13"
"""The one product that `product_failure` breaks."""

SLOW_TENANT = "acme"
CANARY, STABLE = "2.0", "1.8"
"""Releases of the price rules; `tenant_release` brings the first one in."""

LEAK_LIMIT_BYTES = 192 * 2**20
"""`memory_leak` stops growing here, so that a forgotten demo does not eat the machine."""


@dataclass(frozen=True)
class Fault:
    """One switch. `look` says what Spanglass shows, `filter_text` finds it there ("" for what only metrics show)."""

    name: str
    title: str
    service: str
    breaks: str
    look: str
    filter_text: str

    @property
    def page(self) -> str:
        """Path of the Spanglass page that takes the filter."""
        return "/logs" if "severity:" in self.filter_text else "/traces"


FAULTS = (
    Fault(
        "payment_failure",
        "Payments fail",
        "payment",
        "Every second charge ends in a time-out at the card provider.",
        "Errors climb in payment, checkout and web. One exception is behind them all: ProviderTimeout.",
        "service:payment status:error",
    ),
    Fault(
        "product_failure",
        "One product fails",
        "catalog",
        f"Product {CURSED_PRODUCT} has an unreadable weight; its page is an exception. All the others work.",
        "A few errors in catalog and web, all of them with one value of shop.product.id.",
        "service:catalog status:error shop.product.id exists",
    ),
    Fault(
        "slow_query",
        "Slow query",
        "catalog",
        "The search loses its index and reads every review for every product.",
        "The 95th percentile of GET /products in catalog rises; the waterfall is one long SELECT.",
        "service:catalog and db.query.text exists and duration > 150ms",
    ),
    Fault(
        "n_plus_one",
        "N+1 queries",
        "catalog",
        "The search asks for the ids, then for each product alone.",
        "Traces with a comb of equal SELECT spans, one for each product, where there was a single one.",
        'service:catalog and db.query.text ~ "WHERE p.id = "',
    ),
    Fault(
        "memory_leak",
        "Memory leak",
        "web",
        f"Every eighth product view keeps 1 MiB for good, up to {LEAK_LIMIT_BYTES // 2**20} MiB.",
        "The metric process.memory.usage of web climbs in a line; after a quarter of an hour a finding says so.",
        "",
    ),
    Fault(
        "queue_lag",
        "Queue lag",
        "fulfilment",
        "The worker takes five seconds for an order, so orders come faster than they leave.",
        "The metrics spanglass.queue.length and shop.queue.wait grow; spans named process orders take seconds.",
        "service:fulfilment kind:consumer duration > 2s",
    ),
    Fault(
        "payment_down",
        "A service is down",
        "payment",
        "The payment process is stopped. It is started again when you switch this off.",
        "Payment has no requests any more, and checkout answers 503: one row names both, and the ConnectError.",
        "service:checkout status:error",
    ),
    Fault(
        "log_errors",
        "Burst of log errors",
        "catalog",
        "Each search logs twenty errors about a broken stock feed. The answers stay right.",
        "Red bars in the logs of catalog, with a stack trace each, while traces stay green.",
        "service:catalog severity:error",
    ),
    Fault(
        "lock_contention",
        "Lock contention",
        "catalog",
        "Each search recalculates prices under one lock; all other searches and product pages wait for it.",
        "Most of a request is a span that waits for the price lock, and more so the more customers come.",
        'service:catalog name:"wait for the price lock" duration > 50ms',
    ),
    Fault(
        "sequential_calls",
        "Calls one after the other",
        "web",
        "A product page asks for reviews, stock and prices in a row, though none needs the answer of another.",
        "Three calls like stairs in the waterfall of GET /api/products/{product_id}.",
        'service:web name:"GET /api/products/{product_id}" duration > 100ms',
    ),
    Fault(
        "slow_external",
        "A slow external host",
        "payment",
        "Each charge is scored by a fraud service that takes most of a second, and sends no telemetry.",
        "Charges take as long as one call that ends in nothing: GET /scores of a host that has no spans.",
        "service:payment http.request.method:GET duration > 500ms",
    ),
    Fault(
        "tenant_release",
        "Slow for one tenant's release",
        "checkout",
        f"Every second order of each tenant is priced by release {CANARY} of the price rules, slow for {SLOW_TENANT}.",
        f"Slow orders have two things in common: shop.tenant = {SLOW_TENANT} and shop.pricing.release = {CANARY}.",
        'service:checkout name:"price by contract" duration > 200ms',
    ),
    Fault(
        "retry_storm",
        "Retry storm",
        "checkout",
        "Payment refuses three charges of four; checkout tries again at once, up to six times, which is more to do.",
        "Combs of failing POST spans below one order; requests of payment rise though orders do not.",
        'service:payment name:"POST /charges" status:error',
    ),
)

NAMES = frozenset(fault.name for fault in FAULTS)


@dataclass(frozen=True)
class Switches:
    """The switches, kept in a small file that every service reads when it matters and the web service writes.

    A file and not a call: the switches work while services are down, and reading one leaves no span behind.
    """

    path: Path

    def on(self) -> frozenset[str]:
        """Names of the faults that are on. No file: none."""
        try:
            return frozenset(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return frozenset()

    def is_on(self, name: str) -> bool:
        """Say whether one fault is on. KeyError for a name that is not in the table: a typo must not be silent."""
        if name not in NAMES:
            raise KeyError(name)
        return name in self.on()

    def turn(self, name: str, *, on: bool) -> None:
        """Turn one fault on or off. KeyError for a name that is not in the table."""
        if name not in NAMES:
            raise KeyError(name)
        wanted = (self.on() | {name}) if on else (self.on() - {name})
        # Written beside and renamed: a reader sees the old list or the new one, never half of one.
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(sorted(wanted), file)
        os.replace(temporary, self.path)  # noqa: PTH105  # a plain file name, as mkstemp gives it
