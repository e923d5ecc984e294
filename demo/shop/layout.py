"""The table of services, and where they find each other."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

NEW_NAMES = "http,database"
"""Value of OTEL_SEMCONV_STABILITY_OPT_IN for the stable semantic conventions."""

OLD_NAMES = ""
"""What the instrumentations send when nothing is asked for: http.method, db.statement, durations in milliseconds."""


class Way(enum.Enum):
    """How a service gets its telemetry."""

    RUN = "spanglass run"
    CONFIGURE = "spanglass.configure()"
    OPENTELEMETRY = "OpenTelemetry alone"


@dataclass(frozen=True)
class Service:
    """One service: its name in the telemetry, usual port, entry point, conventions, version, and way of telemetry."""

    name: str
    port: int
    target: str
    semconv: str
    version: str
    way: Way

    @property
    def release(self) -> str:
        """The version that it sends: its own, or the one that the supervisor was told (SHOP_RELEASE)."""
        return os.environ.get("SHOP_RELEASE") or self.version


# Two services still send the old names: a real estate is never all on one version of the conventions.
SERVICES = (
    Service("web", 8080, "shop.services.web:main", NEW_NAMES, "2.3.0", Way.RUN),
    Service("catalog", 8081, "shop.services.catalog:main", NEW_NAMES, "1.9.2", Way.RUN),
    Service("checkout", 8082, "shop.services.checkout:main", NEW_NAMES, "4.0.1", Way.CONFIGURE),
    Service("payment", 8083, "shop.services.payment:main", OLD_NAMES, "1.0.7", Way.CONFIGURE),
    Service("fulfilment", 8084, "shop.services.fulfilment:main", OLD_NAMES, "0.8.3", Way.OPENTELEMETRY),
)


def service(name: str) -> Service:
    """Return the row of the table. KeyError for an unknown name."""
    return {found.name: found for found in SERVICES}[name]


def url_variable(name: str) -> str:
    """Name the environment variable that holds the base URL of a service."""
    return f"SHOP_{name.upper()}_URL"


def url(name: str) -> str:
    """Return the base URL of a service, without a slash at the end. KeyError when the supervisor did not set it."""
    return os.environ[url_variable(name)]


def port(name: str) -> int:
    """Return the port a service listens on, from its URL."""
    found = urlsplit(url(name)).port
    if found is None:
        message = f"{url_variable(name)} has no port: {url(name)!r}"
        raise ValueError(message)
    return found


def state_dir() -> Path:
    """Return the folder of the shop's databases, switches and logs (SHOP_STATE)."""
    return Path(os.environ["SHOP_STATE"])


def switches_file() -> Path:
    """Return where the fault switches are kept."""
    return state_dir() / "faults.json"
