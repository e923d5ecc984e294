"""The table of measures: each name, what it is computed from, its unit. docs/measures.md has the same table."""

from __future__ import annotations

from dataclasses import dataclass

from spanglass_server.measures.kinds import Durations, Kind, Share, Values

SERVICE = ("service_name",)
HOST = ("host_name",)

_REQUESTS = 'span_kind=~"server|consumer"<m>'
_DATABASE = 'span_kind="client", db_system_name!=""<m>'
_HTTP, _OLD_HTTP = "http_server_request_duration_seconds", "http_server_duration_milliseconds"
_TASKS = "messaging_process_duration_seconds"

_HITS, _MISSES = '{"spanglass.cache.hits"<m>}', '{"spanglass.cache.misses"<m>}'


def _rate(selector: str) -> str:
    return f"sum by (<ids>) (rate({selector}[<w>]<o>))"


def _once_a_host(text: str) -> str:
    """What each service of a host tells of it counts once."""
    return f"max by (<ids>) (sum by (<ids>, job, instance) ({text}))"


def _host_rate(selector: str) -> tuple[str, ...]:
    return (_once_a_host(f"rate({selector}[<w>]<o>)"),)


def _rates(*selectors: str) -> tuple[str, ...]:
    return tuple(map(_rate, selectors))


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: ``per`` is what it is of, ``service`` or ``host``."""

    name: str
    help: str
    unit: str
    per: str
    kind: Kind


def _of_service(name: str, unit: str, text: str, kind: Kind) -> Measure:
    return Measure(name, text, unit, "service", kind)


def _of_host(name: str, unit: str, text: str, kind: Kind) -> Measure:
    return Measure(name, text, unit, "host", kind)


_REQUEST_MEASURES = (
    _of_service(
        "response_time",
        "s",
        "Duration of requests: server and consumer spans, else the HTTP server's histogram, new or old.",
        Durations((f"span_duration_seconds{{{_REQUESTS}}}", f"{_HTTP}{{<m>}}"), SERVICE, (f"{_OLD_HTTP}{{<m>}}",)),
    ),
    _of_service(
        "request_rate",
        "/s",
        "Requests a second, from the same.",
        Values(
            _rates(f"spans_total{{{_REQUESTS}}}", f"{_HTTP}_count{{<m>}}", f"{_OLD_HTTP}_count{{<m>}}"), SERVICE, "sum"
        ),
    ),
    _of_service(
        "error_rate",
        "ratio",
        "Share of requests that failed: spans of status error, else HTTP's answers of 500 and more.",
        Share(
            _rates(
                f'spans_total{{status_code="error", {_REQUESTS}}}',
                f'{_HTTP}_count{{http_response_status_code=~"5.."<m>}}',
                f'{_OLD_HTTP}_count{{http_status_code=~"5.."<m>}}',
            ),
            _rates(f"spans_total{{{_REQUESTS}}}", f"{_HTTP}_count{{<m>}}", f"{_OLD_HTTP}_count{{<m>}}"),
            SERVICE,
        ),
    ),
    _of_service(
        "active_requests",
        "",
        "Requests under way.",
        Values(('{"http.server.active_requests"<m>}<o>',), SERVICE, "sum"),
    ),
    _of_service(
        "user_count",
        "",
        "Users with a request in the window, by `user.id` or `enduser.id`.",
        Values(
            tuple(
                f'count by (<ids>) (sum by (<ids>, {key}) (rate(spans_total{{{key}!="", {_REQUESTS}}}[<w>]<o>)) > 0)'
                for key in ("user_id", "enduser_id")
            ),
            SERVICE,
            "sum",
        ),
    ),
    _of_service(
        "log_errors",
        "/s",
        "Log records of severity error and fatal a second.",
        Values(_rates('log_records_total{severity=~"error|fatal"<m>}'), SERVICE, "sum"),
    ),
    _of_service("log_rate", "/s", "Log records a second.", Values(_rates("log_records_total{<m>}"), SERVICE, "sum")),
)

_DATABASE_MEASURES = (
    _of_service(
        "query_time",
        "s",
        "Duration of calls to databases: the clients' histogram, else client spans.",
        Durations(("db_client_operation_duration_seconds{<m>}", f"span_duration_seconds{{{_DATABASE}}}"), SERVICE),
    ),
    _of_service(
        "slow_queries",
        "/s",
        "Calls to databases a second that took longer than the setting `slow_query`.",
        Values(_rates("spanglass_db_slow_query_duration_seconds_count{<m>}"), SERVICE, "sum"),
    ),
    _of_service(
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
                    _once_a_host('{"system.network.connection.count", network_connection_state="established"<m>}<o>'),
                    _once_a_host('{"system.network.connections", state="ESTABLISHED"<m>}<o>'),
                ),
                HOST,
                "sum",
            ),
        ),
    ),
    _of_service(
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
    _of_service(
        "pool_wait_time",
        "s",
        "How long code waited for a connection of a pool.",
        Durations(
            ("db_client_connection_wait_time_seconds{<m>}",),
            SERVICE,
            ("db_client_connections_wait_time_milliseconds{<m>}",),
        ),
    ),
    _of_service(
        "pool_pending",
        "",
        "Code that waits for a connection of a pool now.",
        Values(
            ('{"db.client.connection.pending_requests"<m>}<o>', '{"db.client.connections.pending_requests"<m>}<o>'),
            SERVICE,
            "sum",
        ),
    ),
    _of_service(
        "lock_waits",
        "",
        "Sessions of a watched PostgreSQL that wait for a lock.",
        Values(('{"spanglass.db.lock.waiting"<m>}<o>',), SERVICE, "sum"),
    ),
    _of_service(
        "lock_failures",
        "/s",
        "Deadlocks and lock timeouts a second.",
        Values(_rates('{"spanglass.db.lock_failures"<m>}'), SERVICE, "sum"),
    ),
    _of_service(
        "database_size",
        "bytes",
        "Size of watched databases.",
        Values(('{"spanglass.db.size"<m>}<o>',), SERVICE, "sum"),
    ),
    _of_service(
        "cache_hit_rate",
        "ratio",
        "Share of reads of Redis that found something.",
        Share(
            _rates(_HITS),
            (f"(({_rate(_HITS)} or 0 * {_rate(_MISSES)}) + ({_rate(_MISSES)} or 0 * {_rate(_HITS)}))",),
            SERVICE,
        ),
    ),
)

_TASK_MEASURES = (
    _of_service("task_time", "s", "Duration of tasks of Celery and RQ.", Durations((f"{_TASKS}{{<m>}}",), SERVICE)),
    _of_service(
        "task_wait_time",
        "s",
        "How long tasks waited until they began.",
        Durations(("spanglass_task_wait_time_seconds{<m>}",), SERVICE),
    ),
    _of_service(
        "task_rate",
        "/s",
        "Tasks that ended a second.",
        Values(_rates('{"spanglass.task.count"<m>}'), SERVICE, "sum"),
    ),
    _of_service(
        "task_count",
        "",
        "Tasks that ended in the window.",
        Values(('sum by (<ids>) (increase({"spanglass.task.count"<m>}[<w>]<o>))',), SERVICE, "sum"),
    ),
    _of_service(
        "task_error_rate",
        "ratio",
        "Share of tasks that failed.",
        Share(
            _rates('{"spanglass.task.count", spanglass_task_outcome="failure"<m>}'),
            _rates('{"spanglass.task.count"<m>}'),
            SERVICE,
        ),
    ),
    _of_service(
        "active_tasks",
        "",
        "Tasks under way.",
        Values(('{"spanglass.task.active"<m>}<o>',), SERVICE, "sum"),
    ),
    _of_service(
        "queue_size",
        "",
        "Messages that wait: in queues of Celery and RQ, else in queues inside processes.",
        Values(('{"spanglass.queue.length"<m>}<o>', '{"spanglass.queue.size"<m>}<o>'), SERVICE, "sum"),
    ),
)

_PROCESS_MEASURES = (
    _of_service(
        "process_cpu",
        "ratio",
        "Processors that processes use, as a share of those that each may use.",
        Values(('sum by (<ids>, instance) ({"process.cpu.utilization"<m>}<o>)',), SERVICE, "max"),
    ),
    _of_service(
        "process_memory",
        "bytes",
        "Resident memory of processes.",
        Values(
            ('{"process.memory.usage"<m>}<o>', '{"process.runtime.cpython.memory", type="rss"<m>}<o>'), SERVICE, "sum"
        ),
    ),
    _of_service(
        "open_files",
        "",
        "Open file descriptors of processes.",
        Values(
            (
                '{"process.unix.file_descriptor.count"<m>}<o>',
                '{"process.open_file_descriptor.count"<m>}<o>',
                '{"process.open_file_descriptors"<m>}<o>',
            ),
            SERVICE,
            "max",
        ),
    ),
    _of_service(
        "threads",
        "",
        "Threads of processes.",
        Values(('{"process.thread.count"<m>}<o>', '{"process.threads"<m>}<o>'), SERVICE, "sum"),
    ),
    _of_service(
        "gc_pause",
        "ratio",
        "Share of time that garbage collection stops Python.",
        Values(('sum by (<ids>, instance) (rate({"spanglass.gc.pause.time"<m>}[<w>]<o>))',), SERVICE, "max"),
    ),
    _of_service(
        "loop_lag",
        "s",
        "By how much timers of asyncio came late.",
        Durations(("spanglass_asyncio_loop_lag_seconds{<m>}",), SERVICE),
    ),
)

_HOST_MEASURES = (
    _of_host(
        "cpu_usage",
        "ratio",
        "Share of a host's processors that is not idle.",
        Values(
            (
                '(1 - avg by (<ids>) ({"system.cpu.utilization", cpu_mode="idle"<m>}<o>))',
                '(1 - avg by (<ids>) ({"system.cpu.utilization", state="idle"<m>}<o>))',
                '(1 - avg by (<ids>) (rate({"system.cpu.time", state="idle"<m>}[<w>]<o>)))',
            ),
            HOST,
        ),
    ),
    _of_host(
        "memory_usage",
        "ratio",
        "Share of a host's memory that is in use.",
        Values(
            (
                '{"system.memory.utilization", system_memory_state="used"<m>}<o>',
                '{"system.memory.utilization", state="used"<m>}<o>',
            ),
            HOST,
        ),
    ),
    _of_host(
        "disk_usage",
        "ratio",
        "How full the fullest file system is.",
        Values(
            (
                '{"system.filesystem.utilization", system_filesystem_state="used"<m>}<o>',
                '{"system.filesystem.utilization", system_filesystem_state=""<m>}<o>',
            ),
            HOST,
            "max",
        ),
    ),
    _of_host("disk_io", "bytes/s", "Bytes read and written.", Values(_host_rate('{"system.disk.io"<m>}'), HOST, "sum")),
    _of_host(
        "network_io", "bytes/s", "Bytes sent and received.", Values(_host_rate('{"system.network.io"<m>}'), HOST, "sum")
    ),
    _of_host(
        "network_errors",
        "/s",
        "Errors of network interfaces a second.",
        Values(_host_rate('{"system.network.errors"<m>}'), HOST, "sum"),
    ),
    _of_host(
        "network_latency",
        "s",
        "Time to connect to the server, and to each of `latency_targets`.",
        Durations(("spanglass_network_latency_seconds{<m>}",), HOST),
    ),
    _of_host(
        "load",
        "",
        "Load average of a minute, from the Collector.",
        Values(('{"system.cpu.load_average.1m"<m>}<o>',), HOST),
    ),
    _of_host(
        "swap_usage",
        "ratio",
        "Share of swap that is in use.",
        Values(
            (
                '{"system.paging.utilization", system_paging_state="used"<m>}<o>',
                '{"system.paging.utilization", state="used"<m>}<o>',
            ),
            HOST,
        ),
    ),
)

#: All measures by name, in the order of the documentation.
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *_REQUEST_MEASURES,
        *_DATABASE_MEASURES,
        *_TASK_MEASURES,
        *_PROCESS_MEASURES,
        *_HOST_MEASURES,
    )
}
