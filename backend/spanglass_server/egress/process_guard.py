"""A guard for a whole process: whatever library opens a connection in it, the policy is asked for the very address.

It rests on Python's audit hooks, which nothing can take away again, so it is for processes made for one task.
"""

from __future__ import annotations

import os
import socket
import sys
import sysconfig
from collections import defaultdict
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.egress.addresses import parse_address
from spanglass_server.egress.policy import Policy, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_SENDING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
#: What a library that only asks over HTTP never does.
_NEVER: Final = (
    "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "socket.bind", "subprocess.Popen",
    "syslog.",
)  # fmt: skip
#: Files that are read besides those of libraries: certificates, names of hosts, types of files, time zones.
_READABLE: Final = (
    "/etc/ssl", "/etc/pki", "/usr/lib/ssl", "/usr/local/etc/openssl", "/usr/share", "/etc/hosts", "/etc/resolv.conf",
    "/etc/mime.types", "/etc/localtime", "/dev/null", "/dev/urandom",
)  # fmt: skip


class ProcessGuard:
    """Lets connections through that a policy allows. ``refusal`` is the first that was refused, in words."""

    def __init__(self, policy: Policy) -> None:
        self.refusal = ""
        self._policy = policy
        self._names: dict[str, set[str]] = defaultdict(set)
        self._readable = _readable()

    def install(self) -> None:
        """Begin to guard; there is no end."""
        self._lookup: Callable[..., Any] = socket.getaddrinfo
        socket.getaddrinfo = self._getaddrinfo
        sys.addaudithook(self._event)

    def check_host(self, host: str) -> None:
        """Check where a name leads, for a request through a proxy. Raises ``RefusedError``.

        The proxy looks it up again: only names that lead nowhere, as seen from here, are left to it.
        """
        try:
            found = self._lookup(host, 443, type=socket.SOCK_STREAM)
        except socket.gaierror:
            return
        for entry in found:
            self._check(str(entry[4][0]), {host})

    def _getaddrinfo(self, host: Any, *arguments: Any, **options: Any) -> Any:
        found = self._lookup(host, *arguments, **options)
        for entry in found:
            self._names[str(entry[4][0])].add(str(host))
        return found

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _SENDING:
            self._check_address(arguments[1])
        elif event == "open":
            self._check_file(arguments[0])
        elif event.startswith(_NEVER):
            self._refuse(f"{event} is not allowed here")

    def _check_address(self, address: Any) -> None:
        if address is None:  # of a socket that is connected
            return
        if not isinstance(address, tuple) or parse_address(str(address[0])) is None:
            self._refuse("only addresses of IP can be connected to")
        text = str(address[0])
        self._check(text, self._names.get(text, {text}))

    def _check(self, text: str, hosts: set[str]) -> None:
        address = ip_address(text.partition("%")[0])
        refusals = [self._policy.refusal(host, address) for host in sorted(hosts)]
        if all(refusals):
            self._refuse(refusals[0])

    def _check_file(self, file: Any) -> None:
        if isinstance(file, int):
            return
        path = os.path.abspath(os.fsdecode(file))  # noqa: PTH100 - of texts and bytes, and links may lead anywhere
        if not path.startswith(self._readable):
            self._refuse(f"the file {path} is not read here")

    def _refuse(self, reason: str) -> None:
        self.refusal = self.refusal or reason
        raise RefusedError(reason)


def _readable() -> tuple[str, ...]:
    """Beginnings of paths: of Python, of installed libraries, and of our own packages."""
    paths = sysconfig.get_paths()
    libraries = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    packages = [str(Path(__file__).parents[1])]
    packages += [
        str(Path(module.__file__).parent) for name in _OURS if (module := sys.modules.get(name)) and module.__file__
    ]
    folders = [os.path.join(os.path.abspath(each), "") for each in (*libraries, *packages)]  # noqa: PTH100, PTH118 - as above
    return (*folders, *_READABLE)


_OURS: Final = ("spanglass_core",)
