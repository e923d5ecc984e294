"""Names of a request's attributes: the stable ones of the HTTP conventions, those before them, or both."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes import client_attributes as client
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes import server_attributes as server
from opentelemetry.semconv.attributes import url_attributes as url
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    Attributes = dict[str, str | int | list[str]]

#: OpenTelemetry's variable that chooses between old and new names; ``install.opt_in`` sets it by our setting.
VARIABLE = "OTEL_SEMCONV_STABILITY_OPT_IN"


class Names(Enum):
    """Which names are reported."""

    NEW = "new"
    OLD = "old"
    BOTH = "both"

    @property
    def new(self) -> bool:
        """Whether the stable names are."""
        return self is not Names.OLD

    @property
    def old(self) -> bool:
        """Whether those before are."""
        return self is not Names.NEW


def stated_names() -> Names:
    """Return what the variable says of HTTP."""
    words = [word.strip() for word in os.environ.get(VARIABLE, "").split(",")]
    if "http/dup" in words:
        return Names.BOTH
    return Names.NEW if "http" in words else Names.OLD


#: The old name of each attribute that only got another name.
_RENAMED = {
    http.HTTP_REQUEST_METHOD: "http.method",
    http.HTTP_RESPONSE_STATUS_CODE: "http.status_code",
    http.HTTP_ROUTE: http.HTTP_ROUTE,
    url.URL_SCHEME: "http.scheme",
    server.SERVER_ADDRESS: "net.host.name",
    server.SERVER_PORT: "net.host.port",
    NETWORK_PROTOCOL_VERSION: "http.flavor",
    USER_AGENT_ORIGINAL: "http.user_agent",
    client.CLIENT_ADDRESS: "net.peer.ip",
    client.CLIENT_PORT: "net.peer.port",
}

#: Attributes of the old duration, by their new names.
_OF_OLD_DURATION = (
    http.HTTP_REQUEST_METHOD,
    http.HTTP_RESPONSE_STATUS_CODE,
    url.URL_SCHEME,
    server.SERVER_ADDRESS,
    server.SERVER_PORT,
    NETWORK_PROTOCOL_VERSION,
)


def renamed(attributes: Mapping[str, str | int | list[str]]) -> Attributes:
    """Return attributes under their old names; those that have none are left out."""
    return {_RENAMED[key]: value for key, value in attributes.items() if key in _RENAMED}


def old_request(attributes: Attributes, host: str) -> Attributes:
    """Return a new request's attributes under their old names; ``host`` is as its header has it."""
    found = renamed(attributes)
    query = attributes.get(url.URL_QUERY)
    target = f"{attributes.get(url.URL_PATH, '')}{'?' if query else ''}{query or ''}"
    found["http.target"] = target
    if host:
        found["http.host"] = host
        found["http.url"] = f"{attributes.get(url.URL_SCHEME, 'http')}://{host}{target}"
    return found


def old_duration(attributes: Attributes, ends: Attributes) -> Attributes:
    """Return the attributes of the old duration, from those at the beginning and at the end of a request."""
    both = {**attributes, **ends}
    found = renamed({key: both[key] for key in _OF_OLD_DURATION if key in both})
    if http.HTTP_ROUTE in ends:
        found["http.target"] = ends[http.HTTP_ROUTE]
    return found
