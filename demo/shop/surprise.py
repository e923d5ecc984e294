"""A fault that nobody is told of: one is picked at random, the page takes guesses, and tells when asked."""

from __future__ import annotations

import fcntl
import json
import math
import os
import random
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from shop.faults import NAMES, Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FILE_NAME = "surprise.json"


class SecretError(Exception):
    """No fault can be switched while one is a secret: that would tell it, or leave two on."""


@dataclass(frozen=True)
class Game:
    """A surprise under way: the fault, since when it is on (Unix seconds), and what was guessed so far, in order.

    `told_s`: when it was guessed or told, None while it is a secret.
    """

    fault: str
    since_s: float
    guesses: tuple[str, ...] = ()
    told_s: float | None = None

    @property
    def is_secret(self) -> bool:
        """Whether the reader does not know yet."""
        return self.told_s is None

    @property
    def was_guessed(self) -> bool:
        """Whether the reader has found it out."""
        return self.fault in self.guesses


class Surprise:
    """The game, kept in a file beside the switches, so that it survives the web service and the supervisor sees it.

    What changes the game or a switch is done by one at a time, of all threads and processes.
    """

    def __init__(
        self,
        switches: Switches,
        choose: Callable[[Sequence[str]], str] = random.choice,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._switches = switches
        self._path: Path = switches.path.with_name(FILE_NAME)
        self._choose = choose
        self._now_s = now_s

    def game(self) -> Game | None:
        """Return the game under way, or None; a file that can't be understood is none."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            game = Game(**(kept | {"guesses": tuple(kept["guesses"])}))
            times = game.since_s, game.since_s if game.told_s is None else game.told_s
            is_whole = game.fault in NAMES and NAMES.issuperset(game.guesses) and all(map(math.isfinite, times))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        return game if is_whole else None

    @property
    def is_secret(self) -> bool:
        """Whether there is a fault that nobody may be told of."""
        game = self.game()
        return game is not None and game.is_secret

    def start(self) -> None:
        """Switch all faults off and one on. A secret that is there already stays: nobody needs two."""
        with self._alone():
            if self.is_secret:
                return
            for name in self._switches.on():
                self._switches.turn(name, on=False)
            game = Game(self._choose(sorted(NAMES)), self._now_s())
            self._keep(game)
            self._switches.turn(game.fault, on=True)

    def turn(self, name: str, *, on: bool) -> None:
        """Turn one fault on or off. KeyError for a name that is not in the table, SecretError during a secret."""
        with self._alone():
            if self.is_secret:
                raise SecretError
            self._switches.turn(name, on=on)

    def guess(self, name: str) -> None:
        """Take a guess. KeyError for a name that is not in the table; without a secret nothing happens."""
        if name not in NAMES:
            raise KeyError(name)
        with self._alone():
            game = self.game()
            if game and game.is_secret and name not in game.guesses:
                told_s = self._now_s() if name == game.fault else None
                self._keep(replace(game, guesses=(*game.guesses, name), told_s=told_s))

    def tell(self) -> None:
        """Give up: it is no secret any more. The fault stays on, so that it can be looked at."""
        with self._alone():
            game = self.game()
            if game and game.is_secret:
                self._keep(replace(game, told_s=self._now_s()))

    def end(self) -> None:
        """Switch the fault off and forget the game."""
        with self._alone():
            game = self.game()
            self._path.unlink(missing_ok=True)
            if game:
                self._switches.turn(game.fault, on=False)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed; each call has a file of its own
            yield

    def _keep(self, game: Game) -> None:
        # Written beside and renamed: a reader sees the old game or the new one.
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(game), file)
        os.replace(temporary, self._path)  # noqa: PTH105  # a plain file name, as mkstemp gives it
