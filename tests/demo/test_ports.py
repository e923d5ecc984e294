"""Choosing ports, pacing customers, reading the command line."""

from __future__ import annotations

import asyncio
import socket

import pytest

from shop import ports
from shop.__main__ import parse
from shop.load import Pace


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    """A port that somebody listens on is not chosen; one that is free is kept."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
        probe.close()
        taken_port = taken.getsockname()[1]
        kept, replaced = ports.choose([free, taken_port])
        assert kept == free
        assert replaced not in {free, taken_port}
        assert ports.is_free(replaced)


def test_chosen_ports_are_all_different() -> None:
    """Asking for any port seven times, or twice for the same, gives different ones."""
    assert len(set(ports.choose([0] * 7))) == 7
    (free,) = ports.choose([0])
    assert len(set(ports.choose([free, free]))) == 2


def test_a_rate_beyond_the_bound_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The demo is not a load test: more than 50 requests a second end in a message that says so."""
    with pytest.raises(SystemExit) as refused:
        parse(["--rate", "51"])
    assert refused.value.code == 2
    assert "51 requests a second: take 0 to 50" in capsys.readouterr().err


def test_the_pace_is_a_limit_and_never_a_burst() -> None:
    """Two turns a second start half a second apart; turns missed in a pause are not caught up on."""
    now_s = 100.0
    starts: list[float] = []

    async def pause(wait_s: float) -> None:
        nonlocal now_s
        now_s += wait_s

    async def visit() -> None:
        nonlocal now_s
        pace = Pace(2, lambda: now_s, pause)
        for _ in range(3):
            await pace.turn()
            starts.append(now_s)
        now_s += 10
        for _ in range(2):
            await pace.turn()
            starts.append(now_s)

    asyncio.run(visit())
    assert starts == [100.0, 100.5, 101.0, 111.0, 111.5]
