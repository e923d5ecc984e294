"""Proxies of the environment that requests to the server take."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from spanglass.cli.diagnosis.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def findings(url: str) -> Iterator[Finding]:
    """Return whether a proxy stands between the application and the server, which is never meant for loopback."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return
    host = parts.hostname or ""
    variable = f"{parts.scheme.upper()}_PROXY" if proxies.get(parts.scheme) else "ALL_PROXY"
    if proxy_bypass(host):
        yield Finding("server", Severity.OK, f"{variable} is set, and NO_PROXY leaves {host} out of it")
    elif _is_loopback(host):
        text = f"{variable} sends requests to {host}, which is this machine, through {_shown(proxy)}"
        yield Finding("server", Severity.PROBLEM, text, f"export NO_PROXY={host}")
    else:
        text = f"requests to {host} go through the proxy {_shown(proxy)} ({variable})"
        yield Finding("server", Severity.NOTE, text, f"to go there directly: export NO_PROXY={host}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _shown(proxy: str) -> str:
    """Return the proxy's address without user and password."""
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", "")).removeprefix("//")
