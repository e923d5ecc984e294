"""Opens a store anew, as a restart of the server does."""

from __future__ import annotations

from contextlib import contextmanager


@contextmanager
def reopened(kind, open_file, make_in_memory):
    """Give a function that opens the store anew, of the kind ``sqlite`` or ``memory``; one in memory stays as it is."""
    opened = []

    def again():
        if kind == "sqlite":
            for store in opened:
                store.close()
            opened[:] = [open_file()]
        else:
            opened[:] = opened or [make_in_memory()]
        return opened[0]

    yield again
    for store in opened:
        store.close()
