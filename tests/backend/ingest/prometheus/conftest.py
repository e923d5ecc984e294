"""A storage node that takes remote write, and what it stored."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # pytest's importlib mode leaves it alone

from nodes import open_node
from remote_write_bodies import Write1

from spanglass_server.ingest.ports import Form
from spanglass_server.signals import FIXED_COLUMNS, Signal
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nodes import Node
    from remote_write_bodies import Write2

    from spanglass_server.ingest.ports import Accepted


@pytest.fixture
def write(tmp_path) -> Iterator[Callable[..., Accepted]]:
    """Submit a request to a node that lives as long as the test; its rows are ``write.rows()``."""
    with open_node(tmp_path / "data") as node:
        yield Writer(node)


class Writer:
    """What a sender does."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __call__(self, request: Write1 | Write2) -> Accepted:
        """Submit a request."""
        form = Form.REMOTE_WRITE_1 if isinstance(request, Write1) else Form.REMOTE_WRITE_2
        return asyncio.run(self.node.real.ingest.submit(Signal.METRICS, request.body(), None, form))

    def rows(self) -> list[dict[str, Any]]:
        """All stored points, in the order of names and times, without their nulls."""

        def ask(session: Any) -> list[dict[str, Any]]:
            columns = [*FIXED_COLUMNS[Signal.METRICS], *session.columns(Signal.METRICS)]
            relation = session.relation(Signal.METRICS, ALL_TIME, columns)
            return session.rows(f"SELECT * FROM {relation} ORDER BY metric_name, time_ns")  # noqa: S608

        rows = self.node.real.engine.run_here(ask)
        return [{name: value for name, value in row.items() if value is not None} for row in rows]
