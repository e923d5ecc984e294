"""Metrics of the libraries that an application uses: pools of connections, slow queries, caches, tasks, queues."""

from spanglass.library_metrics.install import install_library_metrics
from spanglass.library_metrics.postgres import watch_postgres
from spanglass.library_metrics.queues import watch_queue
from spanglass.library_metrics.slow_queries import SlowQueryProcessor

__all__ = ["SlowQueryProcessor", "install_library_metrics", "watch_postgres", "watch_queue"]
