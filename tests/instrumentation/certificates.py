"""A certificate made by ourselves, and a server that shows it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest
from servers import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate of 127.0.0.1, which is its own authority, and of its key."""

    certificate: Path
    key: Path

    @contextmanager
    def serve(self, handler: type[BaseHTTPRequestHandler], *, clients: Path | None = None) -> Iterator[str]:
        """Serve HTTPS until the block ends; gives the address. ``clients``: the authority that theirs must have."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        with ThreadingHTTPServer((HOST, 0), handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"https://{HOST}:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


class Fine(BaseHTTPRequestHandler):
    """Answers 200 to everything, as OTLP does, and keeps the paths that were asked."""

    paths: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Take a body."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.paths.append(self.path)
        self.do_GET()

    def do_GET(self) -> None:
        """Answer nothing."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def make_certificate(home: Path) -> Certificate:
    """Make one in a folder."""
    if shutil.which("openssl") is None:
        missing("openssl is not on PATH: on Debian and Ubuntu, apt install openssl")
    made = Certificate(home / "certificate.pem", home / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=spanglass test",
         "-addext", f"subjectAltName=IP:{HOST}", "-keyout", made.key, "-out", made.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a certificate that the worker's tests share."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))
