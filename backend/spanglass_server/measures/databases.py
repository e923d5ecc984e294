"""Measures of databases, their pools, and caches."""

from __future__ import annotations

from spanglass_server.measures.kinds import Durations, Share, Values
from spanglass_server.measures.sources import HOST, SERVICE, Measure, of_service, once_a_host, rate, rates

_DATABASE = 'span_kind="client", db_system_name!=""<m>'
_HITS, _MISSES = '{"spanglass.cache.hits"<m>}', '{"spanglass.cache.misses"<m>}'

DATABASE_MEASURES: tuple[Measure, ...] = (
    of_service(
        "query_time",
        "s",
        "Duration of calls to databases: the clients' histogram, else client spans.",
        Durations(("db_client_operation_duration_seconds{<m>}", f"span_duration_seconds{{{_DATABASE}}}"), SERVICE),
    ),
    of_service(
        "slow_queries",
        "/s",
        "Calls to databases a second that took longer than the setting `slow_query`.",
        Values(rates("spanglass_db_slow_query_duration_seconds_count{<m>}"), SERVICE, "sum"),
    ),
    of_service(
        "active_connections",
        "",
        "Connections of database pools in use; where there are no pools, established TCP connections of hosts.",
        Values(
            (
                '{"db.client.connection.count", db_client_connection_state="used"<m>}<o>',
                '{"db.client.connections.usage", state="used"<m>}<o>',
            ),
            SERVICE,
            "sum",
            Values(
                (
                    once_a_host('{"system.network.connection.count", network_connection_state="established"<m>}<o>'),
                    once_a_host('{"system.network.connections", state="ESTABLISHED"<m>}<o>'),
                ),
                HOST,
                "sum",
            ),
        ),
    ),
    of_service(
        "pool_usage",
        "ratio",
        "Share of the connections of database pools that are in use.",
        Share(
            (
                'sum by (<ids>) ({"db.client.connection.count", db_client_connection_state="used"<m>}<o>)',
                'sum by (<ids>) ({"db.client.connections.usage", state="used"<m>}<o>)',
            ),
            (
                'sum by (<ids>) ({"db.client.connection.max"<m>}<o>)',
                'sum by (<ids>) ({"db.client.connections.max"<m>}<o>)',
            ),
            SERVICE,
        ),
    ),
    of_service(
        "pool_wait_time",
        "s",
        "How long code waited for a connection of a pool.",
        Durations(
            ("db_client_connection_wait_time_seconds{<m>}",),
            SERVICE,
            ("db_client_connections_wait_time_milliseconds{<m>}",),
        ),
    ),
    of_service(
        "pool_pending",
        "",
        "Code that waits for a connection of a pool now.",
        Values(
            ('{"db.client.connection.pending_requests"<m>}<o>', '{"db.client.connections.pending_requests"<m>}<o>'),
            SERVICE,
            "sum",
        ),
    ),
    of_service(
        "lock_waits",
        "",
        "Sessions of a watched PostgreSQL that wait for a lock.",
        Values(('{"spanglass.db.lock.waiting"<m>}<o>',), SERVICE, "sum"),
    ),
    of_service(
        "lock_failures",
        "/s",
        "Deadlocks and lock timeouts a second.",
        Values(rates('{"spanglass.db.lock_failures"<m>}', '{"postgresql.deadlocks"<m>}'), SERVICE, "sum"),
    ),
    of_service(
        "database_size",
        "bytes",
        "Size of watched databases.",
        Values(('{"spanglass.db.size"<m>}<o>', '{"postgresql.db_size"<m>}<o>'), SERVICE, "sum"),
    ),
    of_service(
        "cache_hit_rate",
        "ratio",
        "Share of reads of Redis that found something.",
        Share(
            rates(_HITS),
            (f"(({rate(_HITS)} or 0 * {rate(_MISSES)}) + ({rate(_MISSES)} or 0 * {rate(_HITS)}))",),
            SERVICE,
        ),
    ),
)
