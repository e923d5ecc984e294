"""Jobs of RQ that know nothing of telemetry; run as a program it queues some."""

import logging
import os

logger = logging.getLogger("rq_work")


def add(left: int, right: int) -> int:
    """Add, and say so."""
    logger.warning("adding in %d", os.getpid())
    return left + right


def main() -> None:
    """Queue three jobs."""
    import redis
    import rq

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        for number in range(3):
            rq.Queue(connection=client).enqueue("rq_work.add", number, 1)


if __name__ == "__main__":
    main()
