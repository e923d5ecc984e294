"""A health check as it is written: what is looked at, how often, and when it counts as failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.secrets import SecretSource
    from spanglass_server.health.model import Area


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Ask a URL. ``status`` are codes (``200``), classes (``2xx``) or ranges (``200-204``).

    ``json`` maps paths in the answer's JSON (``data.items[0].state``) to the texts that must stand there.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str | SecretSource] = field(default_factory=dict)
    body: str = ""
    user: str = ""
    password: SecretSource | None = None
    status: tuple[str, ...] = ("2xx",)
    contains: str = ""
    lacks: str = ""
    json: Mapping[str, str] = field(default_factory=dict)
    slower_than_ns: int = 0  # then it is degraded
    follow_redirects: bool = True
    redirects_to: str = ""  # the address that a redirect must name; it is not followed then
    verify: bool = True
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """Connect; with ``send`` and ``expect``, say something and wait for an answer that holds a text."""

    address: str  # host:port
    send: str = ""
    expect: str = ""
    slower_than_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Look at the certificate of a server: its names, its issuer, and how long it is still valid."""

    address: str
    server_name: str = ""  # the host, unless said
    warning_ns: int = 21 * 86_400 * 10**9
    critical_ns: int = 7 * 86_400 * 10**9
    verify: bool = True
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Resolve a name. With ``expect``, each of these must be among the answers."""

    name: str
    record: str = "A"
    server: str = ""  # host or host:port; the system's resolvers unless said
    expect: tuple[str, ...] = ()
    slower_than_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Be called: each ``every``, or at the times of ``cron`` in ``time_zone``, and no later than ``grace`` after."""

    every_ns: int = 0
    cron: str = ""
    time_zone: str = "UTC"
    grace_ns: int = 60 * 10**9
    longest_ns: int = 0  # between the call that a job begins and the one that it has ended; 0: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    """Run a query in a PostgreSQL or MySQL database, by a driver that is installed."""

    url: str  # postgresql://user@host:port/database
    password: SecretSource | None = None
    query: str = "SELECT 1"
    expect: str = ""  # the first value of the first row
    slower_than_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """Ping a server that speaks Redis' protocol."""

    address: str
    user: str = ""
    password: SecretSource | None = None
    tls: bool = False
    ca_file: str = ""
    role: Literal["", "master", "slave"] = ""
    slower_than_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run a program, without a shell: exit code 0 is healthy, one of ``degraded`` is degraded."""

    command: tuple[str, ...]
    degraded: tuple[int, ...] = ()
    environment: Mapping[str, str | SecretSource] = field(default_factory=dict)
    directory: str = ""


Options = Http | Tcp | Tls | Dns | Heartbeat | Sql | Redis | Command

#: The kinds of checks, each the name of a field of ``Check``.
KINDS: Final = ("http", "tcp", "tls", "dns", "heartbeat", "sql", "redis", "command")
#: What is looked at by each kind, where the check does not say.
AREA_OF_KIND: Final[Mapping[str, Area]] = {
    "http": "api",
    "tcp": "dependency",
    "tls": "dependency",
    "dns": "dependency",
    "heartbeat": "task",
    "sql": "database",
    "redis": "cache",
    "command": "component",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check. Exactly one of the kinds is given; ``interval_ns`` and ``timeout_ns`` are 0 for the server's own.

    ``failures`` runs in a row that are not well make it so, ``successes`` well ones make it well again. Checks with
    the same ``component`` are one component. A check that is not ``critical`` makes the whole degraded at most.
    """

    uid: str
    name: str
    http: Http | None = None
    tcp: Tcp | None = None
    tls: Tls | None = None
    dns: Dns | None = None
    heartbeat: Heartbeat | None = None
    sql: Sql | None = None
    redis: Redis | None = None
    command: Command | None = None
    interval_ns: int = 0
    timeout_ns: int = 0
    failures: int = 2
    successes: int = 2
    critical: bool = True
    enabled: bool = True
    public: bool = False
    component: str = ""
    area: Area | Literal[""] = ""
    service: str = ""
    description: str = ""
    owner: str = ""
    runbook: str = ""

    @property
    def kind(self) -> str:
        """Which of ``KINDS`` it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def options(self) -> Options:
        """What its kind needs to know."""
        options: Options = getattr(self, self.kind)
        return options

    @property
    def of_area(self) -> Area:
        """Its area: as it says, else that of its kind."""
        return self.area or AREA_OF_KIND[self.kind]

    @property
    def of_component(self) -> str:
        """The name of its component: as it says, else its own."""
        return self.component or self.name
