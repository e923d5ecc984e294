"""Run an entry point that ends with its parent: `python -m shop.leash package.module:function ARGUMENTS`.

The parent holds the other end of our standard input and never writes. However the parent ends, by Ctrl-C, a crash
or kill -9, the pipe closes and we stop. It works on every system with pipes and needs no help from the target.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib import import_module
from typing import NoReturn

GRACE_S = 12.0
"""Time to stop in peace before the process is ended: the server promises to drain within 10 s."""


def _end_with_parent() -> None:
    # os.read and not sys.stdin: a buffered reader's lock, held by a daemon thread, aborts the interpreter's exit.
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_S)
    os._exit(1)


def _leave(_number: int, _frame: object) -> NoReturn:
    # SystemExit and not the default action: exit handlers send the telemetry that still waits.
    sys.exit(0)


def main() -> NoReturn:
    """Put this process on the leash and call the target with the arguments that follow it."""
    target = sys.argv[1]
    sys.argv = [target, *sys.argv[2:]]
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    module, _, function = target.partition(":")
    sys.exit(getattr(import_module(module), function)())


if __name__ == "__main__":
    main()
