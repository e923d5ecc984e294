"""Which keys there are, and how many more issues each service may have: in memory, asked for each new key."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from spanglass_server.issues.identity import overflow_key

if TYPE_CHECKING:
    import sqlite3

    from spanglass_server.issues.sqlite.transaction import Transaction


class Places:
    """The keys of the store, and the places that are promised to keys not yet observed."""

    def __init__(self, connection: sqlite3.Connection, max_issues: int) -> None:
        self._max_issues = max_issues
        self._lock = threading.Lock()
        self._known = {key for (key,) in connection.execute("SELECT key FROM keys")}
        sql = "SELECT service, count(*) FROM issues WHERE NOT is_overflow GROUP BY service"
        self._issues = Counter(dict(connection.execute(sql).fetchall()))
        self._promised: dict[str, set[int]] = defaultdict(set)

    def route(self, key: int, service: str) -> int:
        """See ``IssueStore.route``."""
        with self._lock:
            promised = self._promised[service]
            if key in self._known or key in promised:
                return key
            if self._issues[service] + len(promised) >= self._max_issues:
                return overflow_key(service)
            promised.add(key)
            return key

    def take(self, change: Transaction) -> None:
        """Note what a change that was committed has added."""
        with self._lock:
            for key, service in change.new_keys.items():
                self._known.add(key)
                self._promised[service].discard(key)
            self._issues.update(service for service, _ in change.new_issues)
