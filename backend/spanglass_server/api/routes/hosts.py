"""Routes about hosts and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.hosts.courses import HostCourse, host_course, process_course
from spanglass_server.query.hosts.listing import HostList, ProcessList, list_hosts, list_processes
from spanglass_server.query.senders import SenderList, list_senders

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_HOST = Param("host", "text", help="The host's name.")
#: What stands in a path for a host without a name.
NAMELESS = "-"
_BUCKETS = Param("buckets", "integer", 60, "Most values of a line.", minimum=1, maximum=1000)


def _hosts(session: QuerySession, params: Params) -> HostList:
    return list_hosts(session, params["window"])


def _host_series(session: QuerySession, params: Params) -> HostCourse:
    host = "" if params["host"] == NAMELESS else params["host"]
    return host_course(session, params["window"], host, params["buckets"])


def _processes(session: QuerySession, params: Params) -> ProcessList:
    return list_processes(session, params["window"], params["host"], params["service"])


def _process_series(session: QuerySession, params: Params) -> HostCourse:
    return process_course(session, params["window"], params["host"] or "", params["pid"], params["buckets"])


def _senders(session: QuerySession, params: Params) -> SenderList:
    return list_senders(session, params["window"])


ROUTES = (
    Route(
        path="/hosts",
        summary="Hosts with processor, memory, disks and network as they are at the end of a range.",
        description="Read from the newest six hours of the range; of several senders on a host one counts.",
        parameters=RANGE,
        response=schema_of(HostList),
        query=_hosts,
    ),
    Route(
        path="/hosts/{host:path}/series",
        summary="The same of one host over time.",
        parameters=(_HOST, *RANGE, _BUCKETS),
        response=schema_of(HostCourse),
        query=_host_series,
    ),
    Route(
        path="/processes",
        summary="Processes with processor, memory, files, threads and garbage collection.",
        description="Read from the newest six hours of the range.",
        parameters=(
            *RANGE,
            Param("host", "text", help="Only processes of this host."),
            Param("service", "text", help="Only processes of this service."),
        ),
        response=schema_of(ProcessList),
        query=_processes,
    ),
    Route(
        path="/processes/series",
        summary="The same of one process over time.",
        parameters=(
            *RANGE,
            Param("pid", "integer", help="The process's id.", required=True),
            Param("host", "text", help="Its host."),
            _BUCKETS,
        ),
        response=schema_of(HostCourse),
        query=_process_series,
    ),
    Route(
        path="/senders",
        summary="What each service sends of each signal, and when it last did.",
        parameters=RANGE,
        response=schema_of(SenderList),
        query=_senders,
    ),
)
