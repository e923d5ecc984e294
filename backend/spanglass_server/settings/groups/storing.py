"""Where data is, how it is stored, how long it is kept, what it costs, and what queries may use."""

# ruff: noqa: RUF009 - `row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spanglass_core.settings_types import BYTES, DURATION, LEVEL, PATH, STR, whole
from spanglass_server.settings.rows import DAY_NS, MIB, SECOND_NS, row
from spanglass_server.settings.storage_prices import (
    STORAGE_PRICES,
    StoragePrice,
)


@dataclass(frozen=True, slots=True)
class Data:
    """Where data is kept."""

    dir: Path = row(Path("spanglass-data"), PATH, "The data directory; made if it is missing.", flag="--data")


@dataclass(frozen=True, slots=True)
class Storage:
    """How records become segments."""

    flush_interval_ns: int = row(60 * SECOND_NS, DURATION, "Longest time records wait in memory for a segment.")
    flush_bytes: int = row(64 * MIB, BYTES, "Size of the journal at which its records become segments at once.")
    compact_interval_ns: int = row(60 * SECOND_NS, DURATION, "Time between looks for small segments to merge.")
    max_columns: int = row(1000, whole(1), "Most attribute columns in a segment; more go to the overflow column.")
    max_attributes: int = row(256, whole(1), "Most attributes of a record; more go to the overflow column.")
    max_value_bytes: int = row(128 * 1024, BYTES, "Longest attribute value; the rest is cut off, marked and counted.")
    min_free_disk_bytes: int = row(500 * MIB, BYTES, "Free space on disk below which nothing more is taken in (503).")


@dataclass(frozen=True, slots=True)
class Retention:
    """When records are deleted."""

    traces_ns: int = row(30 * DAY_NS, DURATION, "Age at which spans are deleted; 0 keeps them.")
    logs_ns: int = row(30 * DAY_NS, DURATION, "Age at which log records are deleted; 0 keeps them.")
    metrics_ns: int = row(90 * DAY_NS, DURATION, "Age at which data points are deleted; 0 keeps them.")
    rollups_5m_ns: int = row(
        180 * DAY_NS, DURATION, "Age at which data points thinned to 5 minutes are deleted; 0 keeps them."
    )
    rollups_1h_ns: int = row(
        730 * DAY_NS, DURATION, "Age at which data points thinned to an hour are deleted; 0 keeps them."
    )
    max_bytes: int = row(0, BYTES, "Bytes of all segments; past it the oldest are deleted. 0 sets no limit.")
    max_pinned_bytes: int = row(256 * MIB, BYTES, "Bytes of all pinned traces; past it no more can be pinned.")
    policies_file: Path | None = row(
        None,
        PATH,
        "A YAML file of policies: which traces stay longer than others, and how old ordinary ones are thinned.",
    )


@dataclass(frozen=True, slots=True)
class Issues:
    """Error tracking."""

    max_issues: int = row(20_000, whole(1), "Issues of one service; what comes then is one overflow issue.")


@dataclass(frozen=True, slots=True)
class Costs:
    """What it costs to keep and to receive telemetry."""

    prices: tuple[StoragePrice, ...] = row(
        (),
        STORAGE_PRICES,
        "Prices of a GiB stored for a month as `stored=PRICE`, of a GiB that comes over the wire as `received=PRICE`, "
        "and of a million records received as `records=PRICE`; with a signal before it only of that one: "
        "`stored=0.08, logs.stored=0.1, spans.records=0.3`. Without any, costs are told in bytes and shares only.",
    )
    currency: str = row("USD", STR, "Currency of these prices, as it is shown.")


@dataclass(frozen=True, slots=True)
class Query:
    """What one query may use."""

    deadline_ns: int = row(30 * SECOND_NS, DURATION, "Time after which a query is stopped (504).")
    memory_limit_bytes: int = row(
        1024 * MIB,
        BYTES,
        "Memory of all queries together (507 past it); a quarter more keeps decoded points and spans.",
    )
    threads: int = row(0, whole(0), "Threads of the query engine; 0 is one for each processor core.")
    max_concurrent: int = row(8, whole(1), "Queries that run at once; more wait for their turn.")


@dataclass(frozen=True, slots=True)
class Log:
    """The server's own log, on stderr."""

    level: str = row("info", LEVEL, "Least severe messages shown: debug, info, warning or error.", flag="--log-level")
