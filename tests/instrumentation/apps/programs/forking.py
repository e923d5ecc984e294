"""A script that makes children by the way its first argument names; each of them opens a database and logs."""

import logging
import multiprocessing
import os
import sqlite3
import sys
from concurrent.futures import ProcessPoolExecutor

logger = logging.getLogger("work")


def work(number: int = 0) -> int:
    """Do what telemetry sees: a query and a log record."""
    with sqlite3.connect(":memory:") as database:
        database.cursor().execute("SELECT ?", (number,)).fetchone()
    logger.warning("worked on %d", number)
    return os.getpid()


def main(way: str) -> None:
    """Print the process ids of parent and children."""
    pids = [work()]
    if way == "os.fork":
        for number in range(2):
            pid = os.fork()
            if pid == 0:
                work(number)
                sys.exit()  # as a program ends; os._exit leaves no time for anything
            os.waitpid(pid, 0)
            pids.append(pid)
    elif way == "pool":
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            pids += set(pool.map(work, range(20)))
    else:
        context = multiprocessing.get_context(way)
        children = [context.Process(target=work, args=(number,)) for number in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            pids.append(child.pid)
    print(*pids)


if __name__ == "__main__":
    main(sys.argv[1])
