"""Measures of hosts."""

from __future__ import annotations

from spanglass_server.measures.kinds import Durations, Values
from spanglass_server.measures.sources import HOST, Measure, host_rate, of_host

#: File systems that are made full, and never become fuller: images of packages and discs.
_WRITABLE = ', system_filesystem_type!~"squashfs|iso9660|erofs|cramfs", type!~"squashfs|iso9660|erofs|cramfs"'
_MOUNTS = ("device", "mountpoint", "system_device", "system_filesystem_mountpoint")


def _share_in_use(metric: str, state: str, parts: tuple[str, ...]) -> str:
    """What is used, of the fullest of ``parts``, from senders of sizes alone, such as hostmetrics by default."""
    each = ", ".join(("<ids>", *parts))
    types = _WRITABLE if parts else ""
    used, all_of_it = (
        f"""sum by ({each}) ({{"{metric}", {state}{states}{types}<m>}}<o>)""" for states in ('="used"', '!=""')
    )
    if parts:  # a part is kept for root: what others may use is used or free
        all_of_it = all_of_it.replace('!=""', '=~"used|free"', 1)
    return f"max by (<ids>) ({used} / {all_of_it})"


HOST_MEASURES: tuple[Measure, ...] = (
    of_host(
        "cpu_usage",
        "ratio",
        "Share of a host's processors that is not idle.",
        Values(
            (
                '(1 - avg by (<ids>) ({"system.cpu.utilization", cpu_mode="idle"<m>}<o>))',
                '(1 - avg by (<ids>) ({"system.cpu.utilization", state="idle"<m>}<o>))',
                '(1 - avg by (<ids>) (rate({"system.cpu.time", cpu_mode="idle"<m>}[<w>]<o>)))',
                '(1 - avg by (<ids>) (rate({"system.cpu.time", state="idle"<m>}[<w>]<o>)))',
            ),
            HOST,
        ),
    ),
    of_host(
        "memory_usage",
        "ratio",
        "Share of a host's memory that is in use.",
        Values(
            (
                '{"system.memory.utilization", system_memory_state="used"<m>}<o>',
                '{"system.memory.utilization", state="used"<m>}<o>',
                _share_in_use("system.memory.usage", "state", ()),
            ),
            HOST,
        ),
    ),
    of_host(
        "disk_usage",
        "ratio",
        "How full the fullest file system is.",
        Values(
            (
                f'{{"system.filesystem.utilization", system_filesystem_state="used"{_WRITABLE}<m>}}<o>',
                f'{{"system.filesystem.utilization", system_filesystem_state=""{_WRITABLE}<m>}}<o>',
                _share_in_use("system.filesystem.usage", "system_filesystem_state", _MOUNTS),
                _share_in_use("system.filesystem.usage", "state", _MOUNTS),
            ),
            HOST,
            "max",
        ),
    ),
    of_host("disk_io", "bytes/s", "Bytes read and written.", Values(host_rate('{"system.disk.io"<m>}'), HOST, "sum")),
    of_host(
        "network_io", "bytes/s", "Bytes sent and received.", Values(host_rate('{"system.network.io"<m>}'), HOST, "sum")
    ),
    of_host(
        "network_errors",
        "/s",
        "Errors of network interfaces a second.",
        Values(host_rate('{"system.network.errors"<m>}'), HOST, "sum"),
    ),
    of_host(
        "network_latency",
        "s",
        "Time to connect to the server, and to each of `latency_targets`.",
        Durations(("spanglass_network_latency_seconds{<m>}",), HOST),
    ),
    of_host(
        "load",
        "",
        "Load average of a minute, from the Collector.",
        Values(('{"system.cpu.load_average.1m"<m>}<o>',), HOST),
    ),
    of_host(
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
