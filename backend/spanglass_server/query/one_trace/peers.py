"""Whom a client span called: the address, and the service that answered there when it was last called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.matching import SpanQuestion, match_spans
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.store.ports import QuerySession, Window

_CALLERS = frozenset({"client", "producer"})
#: Who was called, by name: the conventions of today, OpenTelemetry's before, OpenTracing's.
_SERVICES = ("service.peer.name", "peer.service")
_HOSTS = (
    "server.address", "net.peer.name", "peer.hostname", "network.peer.address", "net.peer.ip", "net.sock.peer.addr",
    "http.host", "peer.address", "peer.ipv4", "peer.ipv6",
)  # fmt: skip
_PORTS = ("server.port", "net.peer.port", "peer.port", "network.peer.port", "net.sock.peer.port")
_URLS = ("url.full", "http.url", "url")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w.:-]{1,253}")
_DIGITS = re.compile(r"[0-9]{1,5}")  # other scripts have digits that int() does not know
_MOST_PORT = 65_535
_DATABASES = ("db.system.name", "db.system")
#: Calls of an address that tell who answers there are looked for this long before one that failed: nearly always the
#: last minute has some.
_BEFORE_NS = (60 * NS_PER_SECOND, 6 * 3600 * NS_PER_SECOND)
_CALLS = 20


class Peer(NamedTuple):
    """Who was called; each part is None where it is not known."""

    host: str | None
    port: int | None
    service: str | None


def peer_of(span: Mapping[str, Any]) -> Peer | None:
    """Return whom a span says that it called, of a span as the API shows it; None for what calls nobody by name."""
    if span["kind"] not in _CALLERS:
        return None
    attributes = span["attributes"]
    host, port = _address(str(_first(attributes, _HOSTS) or ""))
    if not host:
        host, port = _of_url(str(_first(attributes, _URLS) or ""))
    port = _port(str(_first(attributes, _PORTS) or "")) or port
    service = _first(attributes, _SERVICES)
    name = service if isinstance(service, str) else None
    return Peer(host or None, port if host else None, name) if host or name else None


def is_database(span: Mapping[str, Any]) -> bool:
    """Whether a span, as the API shows it, called a database: no spans tell who answers there."""
    return _first(span["attributes"], _DATABASES) is not None


def who_answers(session: QuerySession, peer: Peer, before_ns: int) -> Peer:
    """Name the service behind an address: of the last calls of it that were answered, whose server spans they have."""
    if peer.service or not peer.host or peer.port is None:
        return peer
    windows = (clamp(before_ns - long_ns, before_ns + 1) for long_ns in _BEFORE_NS)
    return peer._replace(service=next(filter(None, (_answering(session, peer, window) for window in windows)), None))


def _answering(session: QuerySession, peer: Peer, window: Window) -> str | None:
    """Name the service that answered the last calls of an address in a window, None where none was seen."""
    question = SpanQuestion(
        window, f'kind = client and server.address = "{peer.host}" and server.port = {peer.port} and status != error'
    )
    matching = match_spans(session, question)
    calls = rows(
        session,
        statement(
            "newest_calls",
            relation=matching.relation(session, ("trace_id", "span_id")),
            where=matching.where,
            count=_CALLS,
        ),
    )
    return _callee(session, calls) if calls else None


def _callee(session: QuerySession, calls: list[dict[str, Any]]) -> str | None:
    """Return the service that most of some calls were served by."""
    trace_ids, span_ids = ({call[name] for call in calls} for name in ("trace_id", "span_id"))
    starts = [call["start_time_ns"] for call in calls]
    window = clamp(min(starts) - NS_PER_SECOND, max(starts) + 60 * NS_PER_SECOND)
    columns = {"trace_id", "parent_span_id", "kind", SERVICE}
    served = statement(
        "callees",
        service=SERVICE_NAME,
        relation=Sql(session.relation(Signal.SPANS, window, columns, trace_ids=trace_ids)),
        trace_ids=one_of(trace_ids),
        span_ids=one_of(span_ids),
    )
    return next((row["service"] for row in rows(session, served)), None)


def _first(attributes: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((attributes[key] for key in keys if attributes.get(key) not in (None, "")), None)


def _address(text: str) -> tuple[str, int | None]:
    """Read ``host``, ``host:port`` or ``[v6]:port``; what is no name of a host is none."""
    host, port = text, None
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = _port(rest.removeprefix(":"))
    elif text.count(":") == 1:
        host, _, rest = text.partition(":")
        port = _port(rest)
    return (host, port) if _HOST.fullmatch(host) else ("", None)


def _of_url(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None
    return (host, port) if _HOST.fullmatch(host) else ("", None)


def _port(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) and 0 < int(text) <= _MOST_PORT else None
