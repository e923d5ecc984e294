"""The dead man's switch: calls while alerts reach people, silence when they may not."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import pytest

from spanglass_core.settings_types import Secret
from spanglass_server.egress.egress import Egress
from spanglass_server.notifications.heartbeat import Heartbeat, HeartbeatStatus
from spanglass_server.process.parts.checks.heartbeat import open_heartbeat
from spanglass_server.settings.table import Alerting, Notifications, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Watcher:
    """An address outside: keeps paths that were called, answers with a status."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.status = 200
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                watcher.paths.append(self.path)
                self.send_response(watcher.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = Secret(f"http://127.0.0.1:{self.server.server_port}/hush-hush")


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """One that listens."""
    made = Watcher()
    with made.server:
        thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.server.shutdown()
        thread.join()


def test_a_heart_beats_while_alerts_reach_people(watcher: Watcher):
    """Each beat is a call; none is made while there is a problem, which its status names; then they go on."""
    problems: list[str] = []
    heart = Heartbeat(watcher.url, Egress(), lambda: problems, lambda: 7)
    assert heart.status() == HeartbeatStatus()
    heart.beat()
    assert heart.status() == HeartbeatStatus(last_ns=7)
    problems.append("alert rules are evaluated late")
    heart.beat()
    assert heart.status() == HeartbeatStatus(last_ns=7, withheld="alert rules are evaluated late")
    problems.clear()
    heart.beat()
    assert heart.status() == HeartbeatStatus(last_ns=7)
    assert watcher.paths == ["/hush-hush"] * 2


def test_a_call_that_is_not_taken(watcher: Watcher):
    """What the watcher refuses, and one that is gone, are problems in words, without the address's secret path."""
    heart = Heartbeat(watcher.url, Egress(), list, lambda: 7)
    watcher.status = 404
    heart.beat()
    assert heart.problems() == ["the heartbeat is not taken: 127.0.0.1 answered 404"]
    gone = Heartbeat(Secret("http://127.0.0.1:1/hush-hush"), Egress(), list, lambda: 7)
    gone.beat()
    assert gone.problems() == ["the heartbeat is not taken: 127.0.0.1 can't be asked: connection refused"]
    watcher.status = 200
    heart.beat()
    assert heart.problems() == []


class Node:
    """What a heartbeat sees of the server: its problems, those of others among them."""

    def __init__(self) -> None:
        self.own: list[str] = []
        self.others: list[Callable[[], Sequence[str]]] = []

    @property
    def problems(self) -> list[str]:
        """All of them."""
        return self.own + [problem for other in self.others for problem in other()]

    def also(self, problems: Callable[[], Sequence[str]]) -> None:
        """Add those of another part."""
        self.others.append(problems)


def test_what_withholds_a_heartbeat(watcher: Watcher):
    """A problem of the server does, and alerting that is off; a channel that can't be reached, or its own, does not."""
    url = Notifications(heartbeat_url=watcher.url)
    node, late = Node(), ["messages wait for slack"]
    node.also(lambda: late)

    def opened(settings: Settings) -> Heartbeat | None:
        return open_heartbeat(settings, Egress(), cast("Any", node), lambda: late)

    assert opened(Settings()) is None
    heart = opened(Settings(notifications=url))
    assert heart is not None
    for status in (500, 200):
        watcher.status = status
        heart.beat()
    assert len(watcher.paths) == 2
    assert heart.status().withheld == ""
    node.own.append("the disk is full")
    heart.beat()
    assert (heart.status().withheld, len(watcher.paths)) == ("the disk is full", 2)

    off = opened(Settings(notifications=url, alerting=Alerting(enabled=False)))
    assert off is not None
    off.beat()
    assert off.status().withheld.startswith("alerting.enabled or notifications.enabled is false")
