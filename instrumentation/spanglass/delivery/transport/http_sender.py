"""One attempt to deliver over OTLP/HTTP, on connections that stay open and belong to one process.

requests is imported with this module, when telemetry starts. A later import, in the thread that sends, would spare the
start 36 ms, and break the application where it imports requests at that moment: its modules import one another, and
Python gives one of two threads that wait for each other a module that is not finished.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from urllib3.exceptions import HTTPError, ProtocolError

from spanglass.clock import NS_PER_S
from spanglass.delivery.transport.answers import INTERVALS_HEADER, Answer, Verdict, describe, root_cause
from spanglass.guard import own_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.delivery.transport.targets import Target


# OTLP specification, "Failures": these may be sent again, no other.
_LATER = frozenset({429, 502, 503, 504})
_OK = range(200, 300)
_REDIRECTS = range(300, 400)
_MAX_ANSWER_BYTES = 64 * 1024
_MAX_REASON = 300

# Level 1 is six times as fast as the usual 9 and makes a batch of spans a quarter larger.
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1, mtime=0),
    "deflate": lambda body: zlib.compress(body, 1),
    "none": lambda body: body,
}

#: What a person can do about a status.
_HINTS = {
    401: "set `token` to the server's ingest token",
    403: "set `token` to the server's ingest token",
    404: "`endpoint` is the server's address without /v1/traces",
    405: "`endpoint` is the server's address without /v1/traces",
    413: "one batch is larger than the server takes; raise its ingest.max_body_bytes",
}


class HttpSender:
    """Posts bodies to one signal's address. Safe for several threads; a forked child gets its own connections."""

    def __init__(self, target: Target, user_agent: str) -> None:
        self._target = target
        self._compress = _COMPRESS[target.compression]
        self._headers = {**target.headers, "Content-Type": "application/x-protobuf", "User-Agent": user_agent}
        if target.compression != "none":
            self._headers["Content-Encoding"] = target.compression
        self._session: requests.Session | None = None

    def send(self, body: bytes, timeout_s: float) -> Answer:
        """Post one body, and once more if the connection turned out to be one that the server had closed."""
        packed = self._compress(body)
        try:
            with own_work:
                try:
                    return self._post(packed, timeout_s)
                except requests.ConnectionError as error:
                    if not (error.args and isinstance(error.args[0], ProtocolError)):
                        raise
                    return self._post(packed, timeout_s)
        except (OSError, HTTPError) as error:  # also requests' own; the second while an answer is read
            return self._failed(error)

    def close(self) -> None:
        """Close the connections; a later ``send`` opens new ones."""
        session, self._session = self._session, None
        if session is None:
            return
        for pool in _pools(session):
            pool.close()  # urllib3 leaves it to finalizers, and they do nothing at the end of the process
        session.close()

    def after_fork(self) -> None:
        """Close this process's ends of the parent's connections, and renew the queues they are in.

        urllib3 empties those when the process ends, and a thread of the parent may have held their locks.
        """
        session, self._session = self._session, None
        for pool in _pools(session) if session is not None else ():
            if pool.pool is None:
                continue
            for connection in pool.pool.queue:
                if connection is not None and connection.sock is not None:
                    connection.sock.close()  # the file alone: nothing is said to the server
            pool.pool.__init__(pool.pool.maxsize)

    def _post(self, packed: bytes, timeout_s: float) -> Answer:
        with self._own_session().post(
            self._target.url,
            packed,
            headers=self._headers,
            timeout=timeout_s,
            verify=self._target.certificate or None,  # here, for one of the session loses to REQUESTS_CA_BUNDLE
            allow_redirects=False,  # a redirect could carry the token to another host
            stream=True,
        ) as response:
            content = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True)
            return self._read(response, content)

    def _own_session(self) -> requests.Session:
        if self._session is None:
            session = requests.Session()
            files = (self._target.client_certificate, self._target.client_key)
            session.cert = files if all(files) else files[0] or None
            if "authorization" in self._headers:
                session.auth = _as_it_is  # or requests would put what ~/.netrc says in its place
            self._session = session
        return self._session

    def _read(self, response: requests.Response, content: bytes) -> Answer:
        status = response.status_code
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status in _OK:
            if kind == "text/html":
                return Answer(Verdict.REFUSED, "the answer is a web page, not OTLP; check `endpoint`", "html", status)
            rejected, message = read_partial_success(content) if kind == "application/x-protobuf" else (0, "")
            intervals = response.headers.get(INTERVALS_HEADER, "")
            return Answer(Verdict.TAKEN, status=status, rejected=rejected, message=message, intervals=intervals)
        retry_after_ns = _retry_after_ns(response.headers.get("Retry-After", ""))
        verdict = Verdict.LATER if status in _LATER else Verdict.REFUSED
        return Answer(verdict, _reason(response, content, kind), str(status), status, retry_after_ns)

    def _failed(self, error: Exception) -> Answer:
        cause = root_cause(error)
        # an address, header or proxy that can't be used is a mistake, whatever the server does
        passing = isinstance(error, (requests.ConnectionError, requests.Timeout, HTTPError))
        passing = passing or not isinstance(error, requests.RequestException)  # such as no file descriptor left
        verdict = Verdict.LATER if passing else Verdict.REFUSED
        hint = "; does the server speak TLS?" if isinstance(error, requests.exceptions.SSLError) else ""
        return Answer(verdict, f"{describe(cause)}{hint}", type(cause).__name__)


def _pools(session: requests.Session) -> list[Any]:
    """Return the session's pools of connections, those to proxies too; no lock is taken, a forked child may not."""
    managers = [
        manager
        for adapter in session.adapters.values()
        for manager in (adapter.poolmanager, *adapter.proxy_manager.values())  # type: ignore[attr-defined]
    ]
    return [pool for manager in managers for pool in manager.pools._container.values()]  # noqa: SLF001 - see above


def read_partial_success(content: bytes) -> tuple[int, str]:
    """Read how many records were left out, and why; the three signals' messages have one form. Nonsense says nothing.

    Source: opentelemetry-proto, ``Export*PartialSuccess``: field 1 is the count, field 2 the message.
    """
    answer: Any = ExportTraceServiceResponse()
    try:
        answer.ParseFromString(content)
    except Exception:  # noqa: BLE001 - protobuf's DecodeError; an unreadable answer to what was taken changes nothing
        return 0, ""
    return max(0, answer.partial_success.rejected_spans), answer.partial_success.error_message


def _reason(response: requests.Response, content: bytes, kind: str) -> str:
    status = response.status_code
    told = f"{status} {response.reason or ''}".strip()
    if status in _REDIRECTS:
        return f"{told}: it points to {response.headers.get('Location', 'nowhere')}; set `endpoint` to that server"
    hint = f"; {_HINTS[status]}" if status in _HINTS else ""
    return told + (f": {text}" if (text := _status_message(content, kind)) else "") + hint


def _status_message(content: bytes, kind: str) -> str:
    """Read a google.rpc.Status, whose field 2 is the message, as OTLP's errors are written."""
    if kind != "application/x-protobuf":
        return ""
    from google.rpc.status_pb2 import Status  # noqa: PLC0415 - 5 ms that few need

    try:
        return str(Status.FromString(content).message)[:_MAX_REASON]
    except Exception:  # noqa: BLE001 - as above
        return ""


def _retry_after_ns(text: str) -> int | None:
    """Read the seconds of Retry-After; its other form, a date, is rare and taken as absent."""
    digits = text.strip()
    return int(digits[:9]) * NS_PER_S if digits.isascii() and digits.isdigit() else None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
