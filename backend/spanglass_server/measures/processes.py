"""Measures of processes and their interpreters."""

from __future__ import annotations

from spanglass_server.measures.kinds import Durations, Values
from spanglass_server.measures.sources import SERVICE, Measure, of_service

PROCESS_MEASURES: tuple[Measure, ...] = (
    of_service(
        "process_cpu",
        "ratio",
        "Processors that processes use, as a share of those that each may use.",
        Values(('sum by (<ids>, instance) ({"process.cpu.utilization"<m>}<o>)',), SERVICE, "max"),
    ),
    of_service(
        "process_memory",
        "bytes",
        "Resident memory of processes.",
        Values(
            ('{"process.memory.usage"<m>}<o>', '{"process.runtime.cpython.memory", type="rss"<m>}<o>'), SERVICE, "sum"
        ),
    ),
    of_service(
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
    of_service(
        "threads",
        "",
        "Threads of processes.",
        Values(('{"process.thread.count"<m>}<o>', '{"process.threads"<m>}<o>'), SERVICE, "sum"),
    ),
    of_service(
        "gc_pause",
        "ratio",
        "Share of time that garbage collection stops Python.",
        Values(('sum by (<ids>, instance) (rate({"spanglass.gc.pause.time"<m>}[<w>]<o>))',), SERVICE, "max"),
    ),
    of_service(
        "loop_lag",
        "s",
        "By how much timers of asyncio came late.",
        Durations(("spanglass_asyncio_loop_lag_seconds{<m>}",), SERVICE),
    ),
)
