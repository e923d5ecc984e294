"""Where the server listens, who may talk to it, and limits on what comes in."""

# ruff: noqa: RUF009 - `row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the annotation of a setting

from spanglass_core.settings_types import (
    BOOL,
    BYTES,
    DURATION,
    LIST,
    PATH,
    PORT,
    SECRET,
    STR,
    WEB_ADDRESS,
    Secret,
    whole,
)
from spanglass_server.settings.rows import DAY_NS, MIB, SECOND_NS, row


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens."""

    host: str = row(
        "127.0.0.1",
        STR,
        "Address to listen on. Anything but a loopback address needs both tokens, or `server.insecure`.",
        flag="--host",
    )
    port: int = row(4318, PORT, "Port of OTLP/HTTP, the API and the pages; 0 picks a free one.", flag="--port")
    grpc_port: int = row(4317, PORT, "Port of OTLP/gRPC; 0 picks a free one.", flag="--grpc-port")
    insecure: bool = row(
        default=False, kind=BOOL, help_text="Listen beyond loopback without tokens.", flag="--insecure"
    )
    allowed_hosts: tuple[str, ...] = row(
        (),
        LIST,
        "Names, besides localhost, under which browsers may open a server without a read token; `*` stands for any.",
    )
    external_url: str = row(
        "",
        WEB_ADDRESS,
        "Address under which people open the pages, such as `https://spanglass.example`: links in messages begin with "
        "it. Without it they have the host and port of this server.",
    )
    shutdown_timeout_ns: int = row(
        8 * SECOND_NS, DURATION, "How long requests under way may take after SIGTERM before they are cut off."
    )


@dataclass(frozen=True, slots=True)
class Auth:
    """Tokens; an empty one is not checked."""

    ingest_token: Secret = row(
        Secret(""), SECRET, "Token that senders of telemetry must present.", env="SPANGLASS_INGEST_TOKEN"
    )
    ingest_token_file: Path | None = row(
        None, PATH, "File that holds the ingest token.", env="SPANGLASS_INGEST_TOKEN_FILE"
    )
    read_token: Secret = row(
        Secret(""), SECRET, "Token that readers of the API and the pages must present.", env="SPANGLASS_READ_TOKEN"
    )
    read_token_file: Path | None = row(None, PATH, "File that holds the read token.", env="SPANGLASS_READ_TOKEN_FILE")


@dataclass(frozen=True, slots=True)
class Ingest:
    """Limits on what comes in."""

    max_body_bytes: int = row(64 * MIB, BYTES, "Largest request body over HTTP, after decompression.")
    max_grpc_message_bytes: int = row(64 * MIB, BYTES, "Largest gRPC message, after decompression.")
    max_inflight_bytes: int = row(
        128 * MIB, BYTES, "Bytes of requests that may wait at once; more are asked to come back (429)."
    )
    max_records: int = row(2_000_000, whole(1), "Most spans, log records or data points in one request.")
    max_json_values: int = row(1_000_000, whole(1), "Most JSON values in one OTLP/JSON request.")
    max_concurrent_rpcs: int = row(
        128, whole(1), "gRPC requests handled at once; more are refused, and may be sent again."
    )
    body_timeout_ns: int = row(30 * SECOND_NS, DURATION, "How long a client may take to send a request's body.")
    max_future_ns: int = row(DAY_NS, DURATION, "How far ahead of the server's clock a record's time may be.")
    dedupe_window_ns: int = row(600 * SECOND_NS, DURATION, "How long an exact resend of a request is recognised.")


@dataclass(frozen=True, slots=True)
class Cors:
    """Browsers of other origins; none is allowed until one is listed."""

    allowed_origins: tuple[str, ...] = row(
        (), LIST, "Origins whose pages may send telemetry, such as `https://shop.example`; `*` stands for any."
    )
    allowed_headers: tuple[str, ...] = row((), LIST, "Request headers allowed besides those that OTLP needs.")
    max_age_ns: int = row(7200 * SECOND_NS, DURATION, "How long a browser may remember the answer to a preflight.")
