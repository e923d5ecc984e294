"""Background tasks and queues, told by hand-made spans and points."""

from __future__ import annotations

from metric_tables import T0, WINDOW, gauge
from task_records import CONSUMER, PRODUCER, at, celery, rq, span

from spanglass_server.query.tasks import runs
from spanglass_server.query.tasks.listing import TaskQuestion, list_queues, list_tasks

ALL = TaskQuestion(WINDOW, buckets=10)
MS = 1_000_000


def asyncio_task(time_s):
    """Make a span of asyncio's instrumentation."""
    return span(1, "web", time_s, name="asyncio coro-poll", scope_name="opentelemetry.instrumentation.asyncio")


def spans():
    """Ten mails, of which the last two failed; two tasks of asyncio; something that is no task."""
    mails = [each for place in range(10) for each in celery(60 * place, 0.5 + place / 10, failed=place > 7)]
    return [*mails, asyncio_task(10), asyncio_task(20), span(1, "web", 5)]


def test_tasks_of_spans(open_tables):
    """Runs with failures, times and steps; a task waits from when it was sent until it begins."""
    answer = list_tasks(open_tables(spans=spans()), ALL, 10)
    mail, poll = answer["tasks"]
    assert mail | {"series": None} == {
        "task": "shop.mail", "service": "worker", "slot": mail["slot"], "system": "celery", "queue": "mails",
        "operation": "run/shop.mail", "source": "spans", "runs": 10, "rate_per_s": 10 / 600, "failed": 2,
        "failed_ratio": 0.2, "p50_ns": 100 * MS, "p95_ns": 100 * MS, "wait_p50_ns": mail["wait_p50_ns"],
        "wait_p95_ns": mail["wait_p95_ns"], "running": None, "last_time": "2025-11-21T10:49:01.410000000Z",
        "sampled_share": None, "series": None,
    }  # fmt: skip
    assert 900 * MS <= mail["wait_p50_ns"] <= 1_000 * MS
    assert 1_300 * MS <= mail["wait_p95_ns"] <= 1_400 * MS
    assert [(point["runs"], point["failed"]) for point in mail["series"]] == [(1, 0)] * 8 + [(1, 1)] * 2
    assert (poll["task"], poll["system"], poll["queue"], poll["runs"]) == ("asyncio coro-poll", "asyncio", None, 2)
    assert poll["wait_p50_ns"] is None
    assert answer["total"] == 2
    assert list_tasks(open_tables(spans=spans()), TaskQuestion(WINDOW, "status:error"), 10)["tasks"][0]["runs"] == 2
    assert list_tasks(open_tables(spans=spans()), TaskQuestion(WINDOW, queue="none"), 10)["tasks"] == []


def test_waits_by_links_and_of_parts(open_tables, monkeypatch):
    """A consumer that links to the sender waits from there, not from its parent; of many runs some are asked."""
    queue = {"span.messaging.system:str": "kafka", "span.messaging.destination.name:str": "orders"}
    sent = span(PRODUCER, "web", 1, **queue)
    links = {"link_trace_id": [sent["trace_id"]], "link_span_id": [sent["span_id"]]}
    taken = [span(CONSUMER, "stock", 11.01, parent=span(CONSUMER, "stock", 11, **queue), **queue, **links)]
    (task,) = list_tasks(open_tables(spans=[sent, *taken]), ALL, 10)["tasks"]
    assert (task["wait_p50_ns"], task["wait_p95_ns"]) == (10_000 * MS, 10_000 * MS)
    monkeypatch.setattr(runs, "_MOST_WAITS", 20)
    many = [each for place in range(200) for each in celery(place, 2)]
    (task,) = list_tasks(open_tables(spans=many), ALL, 10)["tasks"]
    assert (task["runs"], round(task["wait_p50_ns"] / MS)) == (200, 2_000)


def test_tasks_of_metrics(open_tables):
    """Tasks without spans are told by histograms, with outcomes; waiting times and what runs, too."""
    (report,) = list_tasks(open_tables(metrics=rq()), ALL, 10)["tasks"]
    assert (report["task"], report["service"], report["queue"], report["source"]) == (
        "jobs.report", "rq-worker", "low", "metrics",
    )  # fmt: skip
    assert (report["runs"], report["failed"], report["running"]) == (8, 2, 3)
    assert 0 < report["p50_ns"] < 1_000 * MS < report["p95_ns"] < 2_000 * MS
    assert 1_000 * MS < report["wait_p50_ns"] < report["wait_p95_ns"] < 2_000 * MS
    assert round(sum(point["runs"] for point in report["series"]), 6) == 8


def test_queues(open_tables):
    """Both sides of a queue by its name, its newest length, and one for each step while it is fresh."""
    orders = {"metric_name": "kafka.consumer_group.lag", "point.topic:str": "orders"}
    lag = [gauge(580, 30.0, **orders, **{"point.partition:int": number}) for number in (0, 1)]
    old = gauge(30, 7.0, metric_name="spanglass.queue.size", **at("", "gone"))
    mails = {"metric_name": "rabbitmq.message.current", "resource.rabbitmq.queue.name:str": "mails"}
    states = [gauge(590, 5.0, **mails, **{"point.state:str": state}) for state in ("ready", "unacknowledged")]
    session = open_tables(spans=spans(), metrics=[*rq(), *lag, old, *states])
    answer = list_queues(session, ALL, 10)
    shown = [(q["queue"], q["systems"], q["sent"], q["processed"], q["failed"], q["length"]) for q in answer["queues"]]
    assert shown == [
        ("orders", [], None, 0, 0, 60.0),
        ("mails", ["celery"], 10, 10, 2, 5.0),
        ("low", ["rq"], None, 8, 2, 5.0),
        ("gone", [], None, 0, 0, None),
    ]
    low = answer["queues"][2]
    assert (low["lengths"], low["longest"]) == ([4, 9, 9, 9, 9, 2, 2, 2, 2, 5], 9)
    assert (answer["queues"][1]["senders"], answer["queues"][1]["consumers"]) == (["web"], ["worker"])
    assert answer["queues"][3]["lengths"] == [7, 7, 7, 7, 7, None, None, None, None, None]
    assert answer["start"] == T0
    assert [each["queue"] for each in list_queues(session, TaskQuestion(WINDOW, service="web"), 10)["queues"]] == [
        "mails"
    ]


def test_filters_that_only_spans_can_have(open_tables):
    """They find no metrics."""
    session = open_tables(spans=spans(), metrics=rq())
    asked = TaskQuestion(WINDOW, "span.celery.task_name exists and not child(kind = client)")
    assert [each["task"] for each in list_tasks(session, asked, 10)["tasks"]] == ["shop.mail"]
    assert [each["queue"] for each in list_queues(session, asked, 10)["queues"]] == ["mails"]


def test_nothing_is_no_task(open_tables):
    """Without records there are no tasks and queues."""
    assert list_tasks(open_tables(), ALL, 10)["total"] == 0
    assert list_queues(open_tables(), ALL, 10)["total"] == 0
