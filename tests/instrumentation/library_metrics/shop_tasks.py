"""The tasks and jobs that tests run in real workers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from celery import Celery

app = Celery("shop", broker=os.environ.get("SHOP_BROKER", "memory://"))
app.conf.update(broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)


@app.task(name="shop.charge")
def charge(amount: int) -> int:
    """Take money; there is none below zero."""
    if amount < 0:
        raise ValueError("no money")
    return amount


@app.task(name="shop.ship", bind=True, max_retries=1)
def ship(self: object) -> None:
    """Fail once, then work."""
    if self.request.retries == 0:  # type: ignore[attr-defined]
        raise self.retry(countdown=0)  # type: ignore[attr-defined]


def job(fails: bool) -> str:  # noqa: FBT001 - RQ passes it on by place
    """Work, or not."""
    if fails:
        raise ValueError("no")
    return "done"


def main() -> None:
    """Run a worker of Celery that measures itself, and write what its processes collect when they end."""
    from celery.signals import worker_process_shutdown  # noqa: PLC0415
    from measuring import Measured  # noqa: PLC0415 - the worker's process finds it on PYTHONPATH

    from spanglass.library_metrics.install import install_library_metrics  # noqa: PLC0415
    from spanglass.settings.settings import load  # noqa: PLC0415

    measured = Measured()
    install_library_metrics(load({}, {}), meter_provider=measured.provider)

    def write(**_: object) -> None:
        keys = ("spanglass.task.name", "messaging.destination.name", "spanglass.task.outcome", "error.type")
        measured.collect()
        lines = [repr(each) for each in measured.counts("messaging.process.duration", *keys).items()]
        waits = [repr(each) for each in measured.counts("spanglass.task.wait_time", *keys[:2]).items()]
        Path(sys.argv[1], f"{os.getpid()}.txt").write_text("\n".join(lines + waits))

    worker_process_shutdown.connect(write, weak=False)
    app.worker_main(["worker", "--pool=prefork", "--concurrency=1", "--loglevel=WARNING", "--without-gossip", "-Ofair"])


if __name__ == "__main__":
    sys.modules["shop_tasks"] = sys.modules["__main__"]
    main()
