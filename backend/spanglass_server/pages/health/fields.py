"""The fields of the form of a check: which kinds there are, and what each needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from spanglass_server.health.form.spec import RECORDS
from spanglass_server.health.model import AREAS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: text: one line; lines: a list, one a line; pairs: ``name: value``, one a line; flag: yes or no; choice: of some.
Sort = Literal["text", "lines", "pairs", "flag", "choice"]


class Field(NamedTuple):
    """A field: the key of a check that it writes (``http.url``), how it is called, what an empty one shows.

    ``more``: it stands below what most people need. ``usual`` is what a flag is unless it is said.
    """

    key: str
    label: str
    hint: str = ""
    sort: Sort = "text"
    options: Sequence[str] = ()
    more: bool = False
    required: bool = False
    usual: bool = False


class Kind(NamedTuple):
    """A kind of checks that pages can make."""

    name: str
    title: str
    text: str
    fields: Sequence[Field]


#: How a check writes what is not set.
_UNSET = (None, "", "0s", "off")
_SLOWER = "slower_than"
_SLOW = "Degraded if slower than"
#: Kinds that run programs or log in as the server stand in the settings file alone.
KINDS: Sequence[Kind] = (
    Kind(
        "http", "HTTP", "asks a URL and looks at the answer",
        (
            Field("http.url", "URL", "https://shop.example.com/health", required=True),
            Field("http.contains", "The answer must hold", "any text"),
            Field(f"http.{_SLOWER}", _SLOW, "2s"),
            Field("http.status", "Status codes", "2xx", "lines", more=True),
            Field("http.method", "Method", sort="choice", options=("GET", "HEAD", "POST", "PUT"), more=True),
            Field("http.lacks", "The answer must not hold", "any text", more=True),
            Field("http.json", "Values in its JSON", "data.state: up", "pairs", more=True),
            Field("http.headers", "Headers", "Accept: application/json", "pairs", more=True),
            Field("http.body", "Body", "", more=True),
            Field("http.redirects_to", "Must redirect to", "https://…", more=True),
            Field("http.follow_redirects", "Follow redirects", sort="flag", usual=True, more=True),
            Field("http.verify", "Verify the certificate", sort="flag", usual=True, more=True),
        ),
    ),
    Kind(
        "tcp", "TCP", "connects, and may say something",
        (
            Field("tcp.address", "Address", "queue.example.com:5672", required=True),
            Field(f"tcp.{_SLOWER}", _SLOW, "500ms"),
            Field("tcp.send", "Send", "", more=True),
            Field("tcp.expect", "The answer must hold", "", more=True),
        ),
    ),
    Kind(
        "tls", "Certificate", "looks how long a certificate is still valid, and whether it is the right one",
        (
            Field("tls.address", "Address", "shop.example.com:443", required=True),
            Field("tls.warning", "Degraded before its end", "21d"),
            Field("tls.critical", "Unhealthy before its end", "7d"),
            Field("tls.server_name", "Server name", "the host", more=True),
            Field("tls.verify", "Verify the certificate", sort="flag", usual=True, more=True),
        ),
    ),
    Kind(
        "dns", "DNS", "resolves a name",
        (
            Field("dns.name", "Name", "shop.example.com", required=True),
            Field("dns.record", "Record", sort="choice", options=RECORDS),
            Field("dns.expect", "Must be among the answers", "93.184.216.34", "lines"),
            Field("dns.server", "Ask the server", "that of the system", more=True),
            Field(f"dns.{_SLOWER}", _SLOW, "200ms", more=True),
        ),
    ),
    Kind(
        "heartbeat", "Heartbeat", "waits for a job to call a URL in time",
        (
            Field("heartbeat.every", "Every", "1h"),
            Field("heartbeat.cron", "or at the times of cron", "30 3 * * *"),
            Field("heartbeat.time_zone", "Time zone of cron", "UTC"),
            Field("heartbeat.grace", "Grace", "1m"),
            Field("heartbeat.longest", "At most from begin to end", "no limit", more=True),
        ),
    ),
    Kind(
        "redis", "Redis", "pings a server that speaks the protocol of Redis",
        (
            Field("redis.address", "Address", "cache.example.com:6379", required=True),
            Field("redis.role", "Must be", sort="choice", options=("", "master", "slave")),
            Field("redis.tls", "Over TLS", sort="flag"),
            Field(f"redis.{_SLOWER}", _SLOW, "50ms", more=True),
        ),
    ),
)  # fmt: skip
#: What every check may say.
COMMON: Sequence[Field] = (
    Field("interval", "Every", "30s"),
    Field("timeout", "Fails after", "10s"),
    Field("failures", "Results in a row that make it worse", "2", more=True),
    Field("successes", "and better", "2", more=True),
    Field("component", "Component", "its name", more=True),
    Field("area", "Area", sort="choice", options=("", *AREAS), more=True),
    Field("service", "Service", "checkout", more=True),
    Field("owner", "Owner", "", more=True),
    Field("runbook", "Runbook", "https://…", more=True),
    Field("description", "Description", "", more=True),
    Field("critical", "It makes the whole unhealthy", sort="flag", usual=True, more=True),
    Field("public", "On the public status page", sort="flag", more=True),
    Field("enabled", "Switched on", sort="flag", usual=True, more=True),
)


def typed(field: Field, check: Mapping[str, object]) -> str | bool:
    """Return what a field of the form begins with: its text, or whether a flag is set."""
    found: object = check
    for key in field.key.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if field.sort == "flag":
        return field.usual if found is None else bool(found)
    if isinstance(found, dict):
        return "\n".join(f"{name}: {value}" for name, value in found.items())
    if isinstance(found, list):
        return "\n".join(map(str, found))
    return "" if found in _UNSET else str(found)
