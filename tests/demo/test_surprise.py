"""The surprise: a fault picked at random, guessed on the page, and no secret afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from shop import layout
from shop.faults import NAMES, Switches
from shop.services.web import build
from shop.surprise import FILE_NAME, Game, SecretError, Surprise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def switches(tmp_path: Path) -> Switches:
    return Switches(tmp_path / "faults.json")


@pytest.fixture
def surprise(switches: Switches) -> Surprise:
    times = iter((1000.0, 1042.0))
    return Surprise(switches, lambda names: names[names.index("retry_storm")], lambda: next(times))


def test_one_fault_is_on_and_a_secret_until_it_is_guessed(switches: Switches, surprise: Surprise) -> None:
    """Others are switched off; wrong guesses are kept, the right one ends the secret, the end switches it off."""
    switches.turn("log_errors", on=True)
    surprise.start()
    surprise.start()  # a secret that is there stays
    assert switches.on() == {"retry_storm"}
    surprise.guess("slow_query")
    surprise.guess("slow_query")
    assert surprise.game() == Game("retry_storm", 1000.0, ("slow_query",))
    assert surprise.is_secret
    surprise.guess("retry_storm")
    game = surprise.game()
    assert game == Game("retry_storm", 1000.0, ("slow_query", "retry_storm"), 1042.0)
    assert (game.is_secret, game.was_guessed, switches.on()) == (False, True, {"retry_storm"})
    surprise.end()
    assert (surprise.game(), switches.on()) == (None, frozenset())


def test_who_gives_up_is_told(switches: Switches, surprise: Surprise) -> None:
    """Told without a guess; a name that is not in the table is refused; every fault may be picked."""
    surprise.start()
    with pytest.raises(KeyError, match="slow_quarry"):
        surprise.guess("slow_quarry")
    surprise.tell()
    game = surprise.game()
    assert (game.was_guessed, game.told_s) == (False, 1042.0)
    offered: list[str] = []
    surprise.end()
    Surprise(switches, lambda names: offered.extend(names) or names[0]).start()
    assert set(offered) == NAMES


def test_who_clicks_twice_has_one_fault(switches: Switches) -> None:
    """Two that start at once wait for one another; nothing is switched while one fault is a secret."""
    both = threading.Barrier(2)

    def choose(names: Sequence[str]) -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.1)  # for the other, who must not come so far
        return names[next(places)]

    places = iter(range(2))
    games = [Surprise(switches, choose) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Surprise.start, games))
    game = games[0].game()
    assert game is not None
    assert switches.on() == {game.fault}
    with pytest.raises(SecretError):
        games[1].turn("log_errors", on=True)
    assert switches.on() == {game.fault}
    games[1].tell()
    games[1].turn("log_errors", on=True)
    assert switches.on() == {game.fault, "log_errors"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"fault": "no_such", "since_s": 1, "guesses": []}', "\x00",
     '{"fault": "slow_query", "since_s": "1", "guesses": []}', '{"fault": [], "since_s": 1, "guesses": [[]]}'],
)  # fmt: skip
def test_what_cannot_be_read_is_no_game(switches: Switches, surprise: Surprise, text: str) -> None:
    """A damaged file costs the game that it held, not the page; the next one begins as always."""
    switches.path.with_name(FILE_NAME).write_text(text, encoding="utf-8")
    assert surprise.game() is None
    surprise.tell()
    surprise.start()
    assert switches.on() == {"retry_storm"}
    surprise.end()
    assert (surprise.game(), switches.on()) == (None, frozenset())


def test_the_page_keeps_the_secret(
    switches: Switches, surprise: Surprise, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither page, API nor log name the fault before it is guessed; then the page says what to look for."""
    for service in layout.SERVICES:
        monkeypatch.setenv(layout.url_variable(service.name), "http://127.0.0.1:1")
    asyncio.run(_play(build(switches, surprise, "http://spanglass")))
    assert "retry" not in caplog.text.lower()


async def _play(app: object) -> None:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", follow_redirects=True) as client:
        hidden = (await client.post("/surprise/start")).text
        assert (hidden.count("It is this"), hidden.count('role="switch"'), hidden.count("aria-checked")) == (13, 0, 0)
        listed = (await client.get("/api/faults")).json()
        assert listed["surprise"] is True
        assert {fault["on"] for fault in listed["faults"]} == {None}
        refused = await client.put("/api/faults/log_errors", json={"on": True})
        assert (refused.status_code, "POST /surprise/tell" in refused.text) == (409, True)
        wrong = (await client.post("/surprise/guess/slow_query")).text
        assert ("Not that. 1 guess so far." in wrong, wrong.count("disabled")) == (True, 1)
        assert (await client.post("/surprise/guess/no_such")).status_code == 404
        told = (await client.post("/surprise/guess/retry_storm")).text
        assert "Yes: Retry storm" in told
        assert "Found in 42 s with 2 guesses." in told
        assert (told.count('role="switch"'), told.count('aria-checked="true"')) == (13, 1)
        over = (await client.post("/surprise/end")).text
        assert ("Surprise me" in over, over.count('aria-checked="true"')) == (True, 0)
