"""Coverage of services and hosts, told by hand-made records."""

from __future__ import annotations

from metric_tables import SECOND, T0, WINDOW, gauge
from task_records import CONSUMER, span

from spanglass_server.query.coverage.families import FAMILIES
from spanglass_server.query.coverage.judging import judge_coverage

SERVER, CLIENT = 2, 3
SERVICE = "resource.service.name:str"


def metric(time_s, name, service, host=None):
    """Make a point of a metric, at seconds after the window's start."""
    return gauge(time_s, 1.0, metric_name=name, **{SERVICE: service, "resource.host.name:str": host})


def line(time_s, service, event=None, **more):
    """Make a log record, or an event."""
    return {"time_ns": (T0 + time_s) * SECOND, "arrival_order": time_s, SERVICE: service, "event_name": event, **more}


def states(answer, name):
    """Return the states of one service or host by family."""
    (subject,) = [each for each in answer["subjects"] if each["name"] == name]
    return {cell["family"]: cell["state"] for cell in subject["families"]}


def shop():
    """Make a shop: web is called by nobody we know, stock by web; worker has tasks and no spans; a host is silent."""
    entry = span(SERVER, "web", 10, failed=True, **{"span.user.id:str": "ann"})
    database = {"span.db.system.name:str": "postgresql", "span.server.address:str": "db.internal"}
    return {
        "spans": [
            entry,
            span(SERVER, "stock", 11, parent=entry, **{"resource.telemetry.distro.name:str": "spanglass"}, failed=True),
            span(CLIENT, "stock", 12, parent=entry, **database),
            span(CLIENT, "web", 13, parent=entry, **{"span.db.system.name:str": "redis"}),
        ],
        "logs": [line(14, "web"), line(15, "web", "signup", **{"log.session.id:str": "s1"})],
        "metrics": [
            metric(590, "system.cpu.time", "web", "a1"),
            metric(590, "system.memory.usage", "web", "a1"),
            metric(590, "process.cpu.time", "web", "a1"),
            metric(590, "messaging.process.duration", "worker"),
            *(metric(595, name, "stock") for name in ("process.memory.usage", "db.client.connection.count")),
        ],
    }


def test_what_is_there_missing_and_not_needed(open_tables):
    """Users, queries, caches and queues are required only of services that have requests, databases, caches, tasks."""
    answer = judge_coverage(open_tables(**shop()), WINDOW, 10)
    assert [(each["subject"], each["name"]) for each in answer["subjects"]] == [
        ("host", "a1"), ("service", "worker"), ("service", "web"), ("service", "stock"),
    ]  # fmt: skip
    web, stock, worker = (states(answer, name) for name in ("web", "stock", "worker"))
    needless = {"tasks", "queues", "queries", "pools"}
    assert {family for family, state in web.items() if state == "not_needed"} == needless
    # an answer of 500 came from a sender that may not tell of exceptions; and redis is called without counting hits
    assert {family for family, state in web.items() if state == "missing"} == {"caches", "exceptions"}
    assert {family for family, state in stock.items() if state == "there"} == {
        "process", "traces", "requests", "queries", "pools", "error_rates",
    }  # fmt: skip
    assert stock["logs"] == "missing"
    assert {stock[family] for family in ("users", "actions", "exceptions", "caches")} == {"not_needed"}
    assert (worker["tasks"], worker["queues"], worker["traces"]) == ("there", "missing", "missing")
    assert states(answer, "a1") == {
        "cpu": "there", "memory": "there", "disk_space": "missing", "disk_traffic": "missing", "network": "missing",
        "latency": "missing",
    }  # fmt: skip
    assert (answer["there"], answer["missing"], answer["stale"]) == (18, 11, 0)
    assert answer["ratio"] == 18 / 29


def test_what_is_measured_grows_stale(open_tables):
    """Without a point for ten minutes a host's metrics are stale, with their time; traffic may rest."""
    silent = [metric(-5, "system.cpu.time", "web", "a1"), metric(1, "system.memory.usage", "web", "a1")]
    window = type(WINDOW)(WINDOW.start_ns - 60 * SECOND, (T0 + 600) * SECOND)
    answer = judge_coverage(open_tables(spans=[span(CONSUMER, "web", -30)], metrics=silent), window, 10)
    assert [(states(answer, "a1")[family]) for family in ("cpu", "memory")] == ["stale", "there"]
    assert states(answer, "web")["tasks"] == "there"
    assert answer["stale"] == 1


def test_who_sends_other_metrics_alone_misses_everything(open_tables):
    """A service and a host of which only a metric of their own is known are listed, and miss what all must have."""
    answer = judge_coverage(open_tables(metrics=[metric(10, "jobs.done", "jobs", "b2")]), WINDOW, 10)
    assert set(states(answer, "b2").values()) == {"missing"}
    assert {family for family, state in states(answer, "jobs").items() if state == "missing"} == {
        "process", "traces", "logs",
    }  # fmt: skip


def test_hostile_and_missing_names_are_subjects_too(open_tables):
    """A service without a name has the name that all of them share; nothing at all has no share."""
    answer = judge_coverage(open_tables(spans=[span(SERVER, None, 1), span(SERVER, "<i>'\0", 2)]), WINDOW, 1)
    assert (answer["total"], len(answer["subjects"])) == (2, 1)
    assert judge_coverage(open_tables(), WINDOW, 5)["ratio"] is None


def test_every_family_has_a_way_to_send_it():
    """Keys are told apart, and each has a title and a line that would send it."""
    assert len({family.key for family in FAMILIES}) == len(FAMILIES)
    assert all(family.title and family.remedy for family in FAMILIES)
