"""What a call goes to, from the attributes of its span: instrumentations name most calls ``GET`` or ``SELECT``."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Attributes = Mapping[str, Any]

#: Kinds of spans that call something outside.
CALLS = frozenset({"client", "producer"})
#: Names of today's conventions, then those before them.
QUERY = ("db.query.text", "db.statement")
_SUMMARY = ("db.query.summary",)
_TABLE = ("db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table")
_DATABASE = ("db.system.name", "db.system")
_QUEUE = ("messaging.destination.name", "messaging.destination")
_HOST = ("server.address", "net.peer.name", "peer.address", "net.peer.ip", "peer.service")
_PORT = ("server.port", "net.peer.port", "peer.port")
_URL = ("url.full", "http.url")
_PATH = ("url.template", "url.path", "http.target")
#: The table in the text of a query: what the first of these words is followed by.
_IN_QUERY = re.compile(r"\b(?:from|into|update|join|table)\s+[\"'`\[]?([\w.$-]+)", re.IGNORECASE)
_MOST = 80


class Targets:
    """Reads targets of the spans of one answer, of whose attributes only the keys given are there."""

    def __init__(self, keys: Collection[str]) -> None:
        self._database, self._query, self._summary, self._table = (
            _present(names, keys) for names in (_DATABASE, QUERY, _SUMMARY, _TABLE)
        )
        self._queue, self._url, self._host, self._port, self._path = (
            _present(names, keys) for names in (_QUEUE, _URL, _HOST, _PORT, _PATH)
        )

    @property
    def keys(self) -> frozenset[str]:
        """All keys that are looked at."""
        parts = (self._database, self._query, self._summary, self._table, self._queue, self._url, self._host)
        return frozenset(chain(*parts, self._port, self._path))

    def query(self, attributes: Attributes) -> str:
        """Return the text of a span's query on one line, empty for spans that have none."""
        text = _first(attributes, self._query)
        return " ".join(text.split()) if text else ""

    def target(self, name: str, kind: str, attributes: Attributes) -> str:
        """Return what a span calls, as far as its name leaves it out: ``127.0.0.1:8083 /charges``, ``reviews``."""
        if kind not in CALLS:
            return ""
        own = name.lower()
        text = " ".join([part for part in self._parts(attributes) if part and part.lower() not in own])
        return text if len(text) <= _MOST else f"{text[:_MOST]}\u2026"

    def _parts(self, attributes: Attributes) -> Sequence[str]:
        if _first(attributes, self._database):
            return (self._of_query(attributes),)
        queue = _first(attributes, self._queue)
        return (queue,) if queue else self._address(attributes)

    def _of_query(self, attributes: Attributes) -> str:
        """Return the summary of a query, its table, or the first table in its text."""
        known = _first(attributes, self._summary) or _first(attributes, self._table)
        found = None if known else _IN_QUERY.search(_first(attributes, self._query))
        return known or (found[1] if found else "")

    def _address(self, attributes: Attributes) -> Sequence[str]:
        """Return host with port, and path."""
        host, port = _first(attributes, self._host), _first(attributes, self._port)
        path = _first(attributes, self._path).partition("?")[0]
        if not host or not path:
            of_url = _parts_of_url(_first(attributes, self._url))
            host, port = (host, port) if host else of_url[:2]
            path = path or of_url[2]
        return f"{host}:{port}" if host and port else host, path


def _present(names: tuple[str, ...], keys: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in keys)


def _first(attributes: Attributes, names: tuple[str, ...]) -> str:
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return str(value)
    return ""


@lru_cache(maxsize=256)
def _parts_of_url(text: str) -> tuple[str, str, str]:
    """Return host, port and path of a URL; nothing of a text that is none."""
    try:
        parts = urlsplit(text)
        return parts.hostname or "", str(parts.port or ""), parts.path
    except ValueError:
        return "", "", ""
