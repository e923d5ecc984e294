"""Metrics of the libraries that an application uses: pools of connections, slow queries, caches, tasks, queues."""
