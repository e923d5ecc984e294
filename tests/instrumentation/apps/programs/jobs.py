"""A Celery application that knows nothing of telemetry."""

import logging
import os

from celery import Celery

app = Celery("jobs", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.worker_hijack_root_logger = False
logger = logging.getLogger("jobs")


@app.task
def add(left: int, right: int) -> int:
    """Add, and say so."""
    logger.warning("adding")
    return left + right


@app.task
def divide(left: int, right: int) -> float:
    """Divide; by zero it fails."""
    return left / right


def main() -> None:
    """Send tasks and print the results."""
    results = [add.delay(number, 1) for number in range(int(os.environ.get("JOBS", "20")))]
    print([result.get(timeout=60) for result in results])
    failed = divide.delay(1, 0)
    failed.get(timeout=60, propagate=False)


if __name__ == "__main__":
    main()
