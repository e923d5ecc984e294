"""Background tasks and queues, told by hand-made spans and points."""

from __future__ import annotations

from metric_tables import T0, WINDOW, gauge
from task_records import CONSUMER, PRODUCER, at, celery, rq, span

from spanglass_server.query.tasks import levels, runs
from spanglass_server.query.tasks.listing import TaskQuestion, list_queues, list_tasks
from spanglass_server.query.use.activity import UseQuestion
from spanglass_server.query.use.features import list_paths

ALL = TaskQuestion(WINDOW, buckets=10)
MS = 1_000_000
QUEUE_7 = {"span.messaging.destination.name:str": "q7"}


def pod(number):
    """Make the columns of one of several workers."""
    return {"resource.service.name:str": "worker", "resource.service.instance.id:str": f"pod-{number}"}


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


def test_rates_are_of_the_time_that_has_data(open_tables):
    """Of a server that got its first span or point in the middle of the range, they are of the second half."""
    late = [each for place in range(5, 10) for each in celery(60 * place, 0)]
    (task,) = list_tasks(open_tables(spans=late), ALL, 10)["tasks"]
    (queue,) = list_queues(open_tables(spans=late), ALL, 10)["queues"]
    assert [round(1 / rate) for rate in (task["rate_per_s"], queue["sent_per_s"], queue["processed_per_s"])] == [60] * 3
    (task,) = list_tasks(open_tables(spans=late, metrics=rq()), TaskQuestion(WINDOW, queue="mails"), 10)["tasks"]
    assert round(1 / task["rate_per_s"]) == (600 - 30) / 5  # the first point is of 30 s after the beginning


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


def test_names_with_ids(open_tables):
    """Of thousands of tasks, queues and paths those with the most runs are shown, all are counted.

    A quantile takes 16 kB for each name: it is asked only of what is shown.
    """
    ids = [
        span(kind, "stock", n % 500, name=f"process order {n}", **{"span.messaging.destination.name:str": f"q{n}"})
        for n in range(3_000) for kind in (2, PRODUCER, CONSUMER)
    ]  # fmt: skip
    more = [span(kind, "stock", 10, ms=30, name="process order 7", **QUEUE_7) for kind in (2, CONSUMER)]
    session = open_tables(spans=[*ids, *more, *spans()], metrics=rq())
    answer = list_tasks(session, ALL, 4)
    assert [(task["task"], task["runs"]) for task in answer["tasks"]] == [
        ("shop.mail", 10), ("jobs.report", 8), ("process order 7", 2), ("asyncio coro-poll", 2)
    ]  # fmt: skip
    assert answer["total"] == 3_003
    order = answer["tasks"][2]
    assert (order["p95_ns"], sum(point["runs"] for point in order["series"])) == (30 * MS, 2)
    queues = list_queues(session, ALL, 3)
    assert [(queue["queue"], queue["sent"], queue["processed"]) for queue in queues["queues"]] == [
        ("low", None, 8), ("mails", 10, 10), ("q7", 1, 2),
    ]  # fmt: skip
    assert queues["total"] == 3_002
    of_service = list_queues(session, TaskQuestion(WINDOW, service="stock"), 3)
    assert ([queue["queue"] for queue in of_service["queues"]], of_service["total"]) == (["q7", "q0", "q1"], 3_000)
    of_queue = TaskQuestion(WINDOW, queue="q7")
    assert (list_tasks(session, of_queue, 3)["total"], list_queues(session, of_queue, 3)["total"]) == (1, 1)
    (path, *_) = list_paths(session, UseQuestion(WINDOW), 3)["paths"]
    assert (path["operation"], path["requests"], path["p95_ns"] > 10 * MS) == ("process order 7", 2, True)
    quantiles = [sql for sql in session.statements if "approx_quantile" in sql]
    assert len(quantiles) == 5
    assert all("SEMI JOIN" in sql for sql in quantiles)


def test_a_task_that_spans_and_metrics_tell_of(open_tables):
    """Spans count, though others have more runs; what metrics tell without a name is of the tasks of that queue."""
    own = {"span.messaging.destination.name:str": "low", "span.messaging.system:str": "rq"}
    nameless = {key: value for key, value in rq()[0].items() if "task.name" not in key}
    for name, expected in (("jobs.report", ["shop.mail"]), ("jobs.other", ["shop.mail", "jobs.report"])):
        one = span(CONSUMER, "rq-worker", 60, name=name, **own)
        session = open_tables(spans=[*spans(), one], metrics=[*rq(), nameless])
        answer = list_tasks(session, ALL, len(expected))
        assert [task["task"] for task in answer["tasks"]] == expected
        assert answer["total"] == len(expected) + 2
        assert {queue["queue"]: queue["processed"] for queue in list_queues(session, ALL, 9)["queues"]}["low"] == (
            1 if name == "jobs.report" else 9
        )


def test_a_length_that_many_tell_counts_once(open_tables):
    """Each worker tells of the whole queue: once for each system; parts of other metrics are added up."""
    workers = [
        gauge(580 + place, value, metric_name="spanglass.queue.length", **at(system, "mails", **pod(place)))
        for place, (system, value) in enumerate([("celery", 100.0), ("celery", 98.0), ("celery", 101.0), ("rq", 7.0)])
    ]
    inside = [
        gauge(580, 5.0, metric_name="spanglass.queue.size", **at("", "inner", **pod(place))) for place in range(3)
    ]
    answer = list_queues(open_tables(metrics=[*workers, *inside]), ALL, 10)
    assert [(queue["queue"], queue["length"], queue["longest"]) for queue in answer["queues"]] == [
        ("mails", 108.0, 108.0),
        ("inner", 15.0, 15.0),
    ]
    assert answer["queues"][0]["systems"] == ["celery", "rq"]


def test_of_very_many_lengths_the_newest_are_there(open_tables, monkeypatch):
    """The bound is one of queues, the shortest are left out: never the newest time."""
    monkeypatch.setattr(levels, "_MOST", 20)  # two queues of ten steps
    points = [
        gauge(60 * step + 50, 10.0 * number + step, metric_name="spanglass.queue.length", **at("rq", f"q{number}"))
        for number in range(3) for step in range(10)
    ]  # fmt: skip
    answer = list_queues(open_tables(metrics=points), ALL, 10)
    assert [(queue["queue"], queue["length"], queue["lengths"][-1]) for queue in answer["queues"]] == [
        ("q2", 29.0, 29.0),
        ("q1", 19.0, 19.0),
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
