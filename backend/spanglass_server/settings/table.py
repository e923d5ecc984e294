"""The table of settings: every group, name, type, default and help text, in the order of the documentation.

A setting's dotted name is its group and its field, without the unit of a duration: ``ingest.body_timeout`` is
``settings.ingest.body_timeout_ns``. The environment variable follows from the name unless the row gives one.
"""

# ruff: noqa: RUF009 - `_row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from spanglass_core.model_prices import ModelPrice  # noqa: TC001 - the annotation of a setting
from spanglass_core.settings_types import (
    BOOL,
    BYTES,
    DURATION,
    LEVEL,
    LIST,
    PATH,
    PORT,
    SECRET,
    STR,
    WEB_ADDRESS,
    Secret,
    SettingType,
    whole,
)
from spanglass_server.settings.command_lines import COMMAND_LINES
from spanglass_server.settings.destinations import DESTINATIONS
from spanglass_server.settings.prices import PRICES

T = TypeVar("T")

_MIB = 1024**2
_SECOND_NS = 10**9
_DAY_NS = 86_400 * _SECOND_NS


def _row(default: T, kind: SettingType, help_text: str, *, env: str = "", flag: str = "") -> T:
    """One row of the table, as the default of a field; the annotation is T for the type checker."""
    row: T = field(default=default, metadata={"type": kind, "help": help_text, "env": env, "flag": flag})
    return row


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens."""

    host: str = _row(
        "127.0.0.1",
        STR,
        "Address to listen on. Anything but a loopback address needs both tokens, or `server.insecure`.",
        flag="--host",
    )
    port: int = _row(4318, PORT, "Port of OTLP/HTTP, the API and the pages; 0 picks a free one.", flag="--port")
    grpc_port: int = _row(4317, PORT, "Port of OTLP/gRPC; 0 picks a free one.", flag="--grpc-port")
    insecure: bool = _row(
        default=False, kind=BOOL, help_text="Listen beyond loopback without tokens.", flag="--insecure"
    )
    allowed_hosts: tuple[str, ...] = _row(
        (),
        LIST,
        "Names, besides localhost, under which browsers may open a server without a read token; `*` stands for any.",
    )
    external_url: str = _row(
        "",
        WEB_ADDRESS,
        "Address under which people open the pages, such as `https://spanglass.example`: links in messages begin with "
        "it. Without it they have the host and port of this server.",
    )
    shutdown_timeout_ns: int = _row(
        8 * _SECOND_NS, DURATION, "How long requests under way may take after SIGTERM before they are cut off."
    )


@dataclass(frozen=True, slots=True)
class Data:
    """Where data is kept."""

    dir: Path = _row(Path("spanglass-data"), PATH, "The data directory; made if it is missing.", flag="--data")


@dataclass(frozen=True, slots=True)
class Auth:
    """Tokens; an empty one is not checked."""

    ingest_token: Secret = _row(
        Secret(""), SECRET, "Token that senders of telemetry must present.", env="SPANGLASS_INGEST_TOKEN"
    )
    ingest_token_file: Path | None = _row(
        None, PATH, "File that holds the ingest token.", env="SPANGLASS_INGEST_TOKEN_FILE"
    )
    read_token: Secret = _row(
        Secret(""), SECRET, "Token that readers of the API and the pages must present.", env="SPANGLASS_READ_TOKEN"
    )
    read_token_file: Path | None = _row(None, PATH, "File that holds the read token.", env="SPANGLASS_READ_TOKEN_FILE")


@dataclass(frozen=True, slots=True)
class Ingest:
    """Limits on what comes in."""

    max_body_bytes: int = _row(64 * _MIB, BYTES, "Largest request body over HTTP, after decompression.")
    max_grpc_message_bytes: int = _row(64 * _MIB, BYTES, "Largest gRPC message, after decompression.")
    max_inflight_bytes: int = _row(
        128 * _MIB, BYTES, "Bytes of requests that may wait at once; more are asked to come back (429)."
    )
    max_records: int = _row(2_000_000, whole(1), "Most spans, log records or data points in one request.")
    max_json_values: int = _row(1_000_000, whole(1), "Most JSON values in one OTLP/JSON request.")
    max_concurrent_rpcs: int = _row(
        128, whole(1), "gRPC requests handled at once; more are refused, and may be sent again."
    )
    body_timeout_ns: int = _row(30 * _SECOND_NS, DURATION, "How long a client may take to send a request's body.")
    max_future_ns: int = _row(_DAY_NS, DURATION, "How far ahead of the server's clock a record's time may be.")
    dedupe_window_ns: int = _row(600 * _SECOND_NS, DURATION, "How long an exact resend of a request is recognised.")


@dataclass(frozen=True, slots=True)
class Cors:
    """Browsers of other origins; none is allowed until one is listed."""

    allowed_origins: tuple[str, ...] = _row(
        (), LIST, "Origins whose pages may send telemetry, such as `https://shop.example`; `*` stands for any."
    )
    allowed_headers: tuple[str, ...] = _row((), LIST, "Request headers allowed besides those that OTLP needs.")
    max_age_ns: int = _row(7200 * _SECOND_NS, DURATION, "How long a browser may remember the answer to a preflight.")


@dataclass(frozen=True, slots=True)
class Storage:
    """How records become segments."""

    flush_interval_ns: int = _row(30 * _SECOND_NS, DURATION, "Longest time records wait in memory for a segment.")
    flush_bytes: int = _row(64 * _MIB, BYTES, "Size of the journal at which its records become segments at once.")
    compact_interval_ns: int = _row(60 * _SECOND_NS, DURATION, "Time between looks for small segments to merge.")
    max_columns: int = _row(1000, whole(1), "Most attribute columns in a segment; more go to the overflow column.")
    max_attributes: int = _row(256, whole(1), "Most attributes of a record; more go to the overflow column.")
    max_value_bytes: int = _row(128 * 1024, BYTES, "Longest attribute value; the rest is cut off, marked and counted.")
    min_free_disk_bytes: int = _row(500 * _MIB, BYTES, "Free space on disk below which nothing more is taken in (503).")


@dataclass(frozen=True, slots=True)
class Retention:
    """When records are deleted."""

    traces_ns: int = _row(30 * _DAY_NS, DURATION, "Age at which spans are deleted; 0 keeps them.")
    logs_ns: int = _row(30 * _DAY_NS, DURATION, "Age at which log records are deleted; 0 keeps them.")
    metrics_ns: int = _row(90 * _DAY_NS, DURATION, "Age at which data points are deleted; 0 keeps them.")
    rollups_5m_ns: int = _row(
        180 * _DAY_NS, DURATION, "Age at which data points thinned to 5 minutes are deleted; 0 keeps them."
    )
    rollups_1h_ns: int = _row(
        730 * _DAY_NS, DURATION, "Age at which data points thinned to an hour are deleted; 0 keeps them."
    )
    max_bytes: int = _row(0, BYTES, "Bytes of all segments; past it the oldest are deleted. 0 sets no limit.")
    max_pinned_bytes: int = _row(256 * _MIB, BYTES, "Bytes of all pinned traces; past it no more can be pinned.")


@dataclass(frozen=True, slots=True)
class Issues:
    """Error tracking."""

    max_issues: int = _row(20_000, whole(1), "Issues of one service; what comes then is one overflow issue.")


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Dashboards in files."""

    dir: Path | None = _row(None, PATH, "Directory of YAML files of dashboards, read again when they change.")


@dataclass(frozen=True, slots=True)
class Alerting:
    """Alert rules and the alerts they raise."""

    enabled: bool = _row(default=True, kind=BOOL, help_text="Whether alert rules are evaluated.")
    dir: Path | None = _row(
        None, PATH, "Directory of YAML files of alert rules, Prometheus' among them, read again when they change."
    )
    shipped: bool = _row(default=True, kind=BOOL, help_text="Whether the rules that come with the server are on.")
    channels: tuple[str, ...] = _row((), LIST, "Channels of rules that name none.")
    interval_ns: int = _row(15 * _SECOND_NS, DURATION, "How often rules are evaluated that don't say.")
    delay_ns: int = _row(5 * _SECOND_NS, DURATION, "How long an evaluation waits for data that comes late.")
    window_ns: int = _row(120 * _SECOND_NS, DURATION, "Window of rates and counts that name none.")
    catch_up_ns: int = _row(
        3600 * _SECOND_NS, DURATION, "How far back evaluations are made up for that a stopped server missed."
    )
    silence_ns: int = _row(
        300 * _SECOND_NS, DURATION, "How long no record of any kind may come in before that is an alert."
    )
    keep_alerts_ns: int = _row(365 * _DAY_NS, DURATION, "Age at which alerts that are over are deleted; 0 keeps them.")
    max_keys: int = _row(
        1000, whole(1), "Most keys (services, hosts, routes ...) of one rule; the first count, and the rule says so."
    )


@dataclass(frozen=True, slots=True)
class Slo:
    """Service level objectives."""

    dir: Path | None = _row(None, PATH, "Directory of YAML files of objectives, read again when they change.")
    keep_history_ns: int = _row(400 * _DAY_NS, DURATION, "Age at which counts of objectives are deleted; 0 keeps them.")


@dataclass(frozen=True, slots=True)
class Notifications:
    """Telling people of alerts."""

    enabled: bool = _row(default=True, kind=BOOL, help_text="Whether anybody is told of alerts.")
    attempt_timeout_ns: int = _row(
        15 * _SECOND_NS, DURATION, "Time after which an attempt to deliver has failed that had no answer."
    )
    concurrency: int = _row(8, whole(1), "Messages that one channel delivers at once.")
    retry_for_ns: int = _row(
        3600 * _SECOND_NS, DURATION, "How long a message is tried again that did not arrive, from the first attempt on."
    )
    fallback_after_ns: int = _row(
        120 * _SECOND_NS, DURATION, "How long it is tried over a channel that has a fallback, from the decision on."
    )
    link_lifetime_ns: int = _row(
        3 * _DAY_NS, DURATION, "How long links in messages work that acknowledge or silence; at most 30 days."
    )
    keep_ns: int = _row(
        90 * _DAY_NS, DURATION, "Age at which deliveries that are done, and silences that ended, are deleted; 0 keeps."
    )
    commands: tuple[tuple[str, ...], ...] = _row(
        (),
        COMMAND_LINES,
        "Commands that channels made in pages may run, each with all its arguments; the settings file may name others.",
    )
    heartbeat_url: Secret = _row(
        Secret(""), SECRET, "Address outside that is called as long as alerts are evaluated and delivered."
    )
    heartbeat_interval_ns: int = _row(60 * _SECOND_NS, DURATION, "How often it is called.")


@dataclass(frozen=True, slots=True)
class Egress:
    """Where the server may connect to, for notifications and health checks."""

    allow: tuple[str, ...] = _row(
        (),
        DESTINATIONS,
        "Hosts, addresses and networks that may be reached though they are not public, such as `hooks.corp.example`, "
        "`*.corp.example`, `10.1.0.0/16`.",
    )
    proxy: Secret = _row(
        Secret(""), SECRET, "URL of the HTTP proxy for requests; those of the environment count for nothing."
    )


@dataclass(frozen=True, slots=True)
class Health:
    """Health checks that the server runs, and how components are judged by telemetry."""

    enabled: bool = _row(default=True, kind=BOOL, help_text="Whether the server runs its checks.")
    check_interval_ns: int = _row(30 * _SECOND_NS, DURATION, "How often checks run that don't say.")
    timeout_ns: int = _row(
        10 * _SECOND_NS, DURATION, "Time after which a check has failed that gave no answer, unless it says another."
    )
    window_ns: int = _row(
        300 * _SECOND_NS, DURATION, "Time back over which calls of services, databases and others are judged."
    )
    degraded_errors_percent: int = _row(5, whole(1), "Share of calls that fail, in percent, from which on is degraded.")
    unhealthy_errors_percent: int = _row(50, whole(1), "Share of calls that fail, in percent, which is unhealthy.")
    keep_history_ns: int = _row(400 * _DAY_NS, DURATION, "Age at which changes of statuses are deleted; 0 keeps them.")
    status_page: bool = _row(
        default=False,
        kind=BOOL,
        help_text="Whether anybody may see `/status`, the page of public components, and their badges.",
    )
    status_page_title: str = _row("Status", STR, "What the status page is called.")


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports that are kept."""

    keep_ns: int = _row(180 * _DAY_NS, DURATION, "Age at which reports are deleted; 0 keeps them.")
    max_reports: int = _row(500, whole(1), "Reports that are kept; past it the oldest are deleted.")


@dataclass(frozen=True, slots=True)
class GenAi:
    """What calls of language models cost."""

    prices: tuple[ModelPrice, ...] = _row(
        (),
        PRICES,
        "Prices of a million tokens as `MODEL=INPUT/OUTPUT`, or with a third one of cached input: "
        "`gpt-4o-mini*=0.15/0.6`, `claude-*=3/15/0.3`. The first whose model matches counts, `*` stands for anything.",
    )
    currency: str = _row("USD", STR, "Currency of these prices, as it is shown.")


@dataclass(frozen=True, slots=True)
class Query:
    """What one query may use."""

    deadline_ns: int = _row(30 * _SECOND_NS, DURATION, "Time after which a query is stopped (504).")
    memory_limit_bytes: int = _row(
        1024 * _MIB,
        BYTES,
        "Memory of all queries together (507 past it); a quarter more keeps decoded points and spans.",
    )
    threads: int = _row(0, whole(0), "Threads of the query engine; 0 is one for each processor core.")
    max_concurrent: int = _row(8, whole(1), "Queries that run at once; more wait for their turn.")


@dataclass(frozen=True, slots=True)
class Log:
    """The server's own log, on stderr."""

    level: str = _row("info", LEVEL, "Least severe messages shown: debug, info, warning or error.", flag="--log-level")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a server, read-only: ``settings.server.port``."""

    server: Server = field(default_factory=Server)
    data: Data = field(default_factory=Data)
    auth: Auth = field(default_factory=Auth)
    ingest: Ingest = field(default_factory=Ingest)
    cors: Cors = field(default_factory=Cors)
    storage: Storage = field(default_factory=Storage)
    retention: Retention = field(default_factory=Retention)
    issues: Issues = field(default_factory=Issues)
    dashboards: Dashboards = field(default_factory=Dashboards)
    alerting: Alerting = field(default_factory=Alerting)
    slo: Slo = field(default_factory=Slo)
    notifications: Notifications = field(default_factory=Notifications)
    egress: Egress = field(default_factory=Egress)
    health: Health = field(default_factory=Health)
    reports: Reports = field(default_factory=Reports)
    genai: GenAi = field(default_factory=GenAi)
    query: Query = field(default_factory=Query)
    log: Log = field(default_factory=Log)
    file: Path | None = None  # that they were read from; it may hold more than settings


GROUPS: dict[str, type[Any]] = {
    "server": Server,
    "data": Data,
    "auth": Auth,
    "ingest": Ingest,
    "cors": Cors,
    "storage": Storage,
    "retention": Retention,
    "issues": Issues,
    "dashboards": Dashboards,
    "alerting": Alerting,
    "slo": Slo,
    "notifications": Notifications,
    "egress": Egress,
    "health": Health,
    "reports": Reports,
    "genai": GenAi,
    "query": Query,
    "log": Log,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table, as documentation, command line and loaders see it."""

    name: str
    group: str
    attribute: str
    type: SettingType
    default: Any
    help: str
    env: str
    flag: str


def _rows(group: str, owner: type[Any]) -> list[Setting]:
    rows = []
    for entry in dataclasses.fields(owner):
        name = f"{group}.{entry.name.removesuffix('_ns')}"
        env = entry.metadata["env"] or "SPANGLASS_" + name.upper().replace(".", "_")
        rows.append(
            Setting(
                name=name,
                group=group,
                attribute=entry.name,
                type=entry.metadata["type"],
                default=entry.default,
                help=entry.metadata["help"],
                env=env,
                flag=entry.metadata["flag"],
            )
        )
    return rows


#: Every setting by its dotted name, in the order of the table.
TABLE: dict[str, Setting] = {row.name: row for group, owner in GROUPS.items() for row in _rows(group, owner)}
