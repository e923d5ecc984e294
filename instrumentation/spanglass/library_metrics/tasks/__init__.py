"""Metrics of background tasks and of queues, those of Celery and RQ and those inside a process."""
