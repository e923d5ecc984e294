"""The guard of a whole process: what is refused in it, tried in one."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import json, os, socket, subprocess, sys, urllib.request
from spanglass_server.egress.policy import Policy
from spanglass_server.egress.process_guard import ProcessGuard

listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]
guard = ProcessGuard(Policy.of(sys.argv[2:]))
guard.install()

def connect(host):
    socket.create_connection((host, port), timeout=5).close()

tries = {
    "address": lambda: connect("127.0.0.1"),
    "name": lambda: connect("localhost"),
    "library": lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
    "unix": lambda: socket.socket(socket.AF_UNIX).connect("/run/systemd/private"),
    "listen": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "program": lambda: subprocess.run(["/bin/true"]),
    "shell": lambda: os.system("true"),
    "fork": lambda: os.fork() or os._exit(0),
    "file": lambda: open("/etc/hostname"),
    "library file": lambda: open(json.__file__).close(),
}

def outcome(attempt):
    try:
        attempt()
    except Exception as error:
        return str(error)
    return ""

print(json.dumps({name: outcome(attempt) for name, attempt in tries.items() if name in sys.argv[1]}))
"""


_ALL = "address name library datagram unix listen program shell fork file library file"


def _tried(ways: str, *allowed: str) -> dict[str, str]:
    argv = [sys.executable, "-c", _PROGRAM, ways, *allowed]
    ran = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_what_a_guarded_process_may_not_do():
    """Whatever opens a connection is refused by the address; no program is started, no file of the machine read."""
    refused = _tried(_ALL)
    loopback = "a loopback address, to which nothing is sent"
    assert [loopback in refused[way] for way in ("address", "name", "library", "datagram")] == [True] * 4
    assert refused["unix"] == "only addresses of IP can be connected to"
    assert refused["file"] == "the file /etc/hostname is not read here"
    for way in ("listen", "program", "shell", "fork"):
        assert refused[way].endswith("is not allowed here")
    assert refused["library file"] == ""


def test_what_a_policy_allows_a_guarded_process():
    """A host that is named is reached by its name; its address is another thing, unless that is named."""
    assert _tried("name", "localhost")["name"] == ""
    assert "loopback" in _tried("name", "other.example")["name"]
    assert _tried("address", "127.0.0.0/8")["address"] == ""
