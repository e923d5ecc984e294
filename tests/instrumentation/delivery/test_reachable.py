"""Whether a server is there."""

from __future__ import annotations

import queue

import pytest

from spanglass.delivery.console.reachable import is_reachable, look


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Forget the machine's proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_server_is_found_and_none_is_not(canned, nobody):
    """An address at which something listens is reachable; a closed port, an unknown scheme and a bad port are not."""
    addresses = [canned.url, nobody, "http://", "http://127.0.0.1:99999"]
    assert [is_reachable(address) for address in addresses] == [True, False, False, False]


def test_a_proxy_stands_for_what_is_behind_it(canned, nobody, monkeypatch):
    """Where requests would take a proxy, the proxy is looked for, unless the host is excepted."""
    monkeypatch.setenv("http_proxy", canned.url)
    through = is_reachable(nobody)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert (through, is_reachable(nobody)) == (True, False)


def test_looking_tells_from_another_thread(canned, nobody):
    """The answer comes to the function that was given."""
    told: queue.Queue[bool] = queue.Queue()
    look(canned.url, told.put)
    first = told.get(timeout=30)
    look(nobody, told.put)
    assert (first, told.get(timeout=30)) == (True, False)
