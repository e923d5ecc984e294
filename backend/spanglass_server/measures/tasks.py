"""Measures of background tasks and queues."""

from __future__ import annotations

from spanglass_server.measures.kinds import Durations, Share, Values
from spanglass_server.measures.sources import SERVICE, Measure, of_service, rates

_TASKS = "messaging_process_duration_seconds"

TASK_MEASURES: tuple[Measure, ...] = (
    of_service("task_time", "s", "Duration of tasks of Celery and RQ.", Durations((f"{_TASKS}{{<m>}}",), SERVICE)),
    of_service(
        "task_wait_time",
        "s",
        "How long tasks waited until they began.",
        Durations(("spanglass_task_wait_time_seconds{<m>}",), SERVICE),
    ),
    of_service(
        "task_rate",
        "/s",
        "Tasks that ended a second.",
        Values(rates('{"spanglass.task.count"<m>}'), SERVICE, "sum"),
    ),
    of_service(
        "task_count",
        "",
        "Tasks that ended in the window.",
        Values(('sum by (<ids>) (increase({"spanglass.task.count"<m>}[<w>]<o>))',), SERVICE, "sum"),
    ),
    of_service(
        "task_error_rate",
        "ratio",
        "Share of tasks that failed: of Celery and RQ, else of spans that took messages.",
        Share(
            rates(
                '{"spanglass.task.count", spanglass_task_outcome="failure"<m>}',
                'spans_total{span_kind="consumer", status_code="error"<m>}',
            ),
            rates('{"spanglass.task.count"<m>}', 'spans_total{span_kind="consumer"<m>}'),
            SERVICE,
        ),
    ),
    of_service(
        "active_tasks",
        "",
        "Tasks under way.",
        Values(('{"spanglass.task.active"<m>}<o>',), SERVICE, "sum"),
    ),
    of_service(
        "queue_size",
        "",
        "Messages that wait: in queues of Celery and RQ, RabbitMQ and Kafka (the Collector), else inside processes.",
        Values(
            (
                # each worker tells of the whole queue of a broker
                'max by (<ids>, messaging_system, messaging_destination_name) ({"spanglass.queue.length"<m>}<o>)',
                '{"rabbitmq.message.current", state="ready"<m>}<o>',
                '{"kafka.consumer_group.lag"<m>}<o>',
                '{"spanglass.queue.size"<m>}<o>',
            ),
            SERVICE,
            "sum",
        ),
    ),
)
