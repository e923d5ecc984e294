"""A process that carries out policies in a data directory, and is killed at a step that it is told: DIRECTORY STEP."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from aged import Attic
from faults import FaultyDisk


class Killer:
    """Counts steps, and kills the process at one of them."""

    def __init__(self, last: int) -> None:
        self.left, self.armed = last, False

    def step(self, _name: str) -> None:
        """Count a step."""
        if self.armed:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def main(directory: str, last: str) -> None:
    """Open the directory, and judge everything nine days later."""
    killer = Killer(int(last))
    attic = Attic(Path(directory), disk=FaultyDisk(killer))
    for owner, name in ((attic.store.catalog, "commit"), (attic.store.contents, "replace")):
        real = getattr(owner, name)

        def counted(*arguments, real=real, name=name, **named):
            killer.step(name)
            done = real(*arguments, **named)
            killer.step(f"after {name}")
            return done

        setattr(owner, name, counted)
    killer.armed = True
    attic.age(9)
    killer.armed = False
    attic.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
