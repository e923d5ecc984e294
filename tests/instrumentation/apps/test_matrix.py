"""Real frameworks, servers, clients and stores: connected traces, metrics and correlated logs arrive in the server."""

# ruff: noqa: S608 - names of services of these tests stand in their statements

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow
UVICORN = ["uvicorn", "--port", "{port}"]
GUNICORN = ["gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "4"]

FRAMEWORKS = {
    "fastapi": [*UVICORN, "shop_fastapi:app"],
    "starlette": [*UVICORN, "shop_starlette:app"],
    "django-asgi": [*UVICORN, "shop_django:asgi"],
    "flask": [*GUNICORN, "shop_flask:app"],
    "django-wsgi": [*GUNICORN, "shop_django:wsgi"],
}
# framework, client, store: every one of each at least once
ROWS = [
    ("fastapi", "httpx", "sqlite3"),
    ("fastapi", "requests", "sqlalchemy"),
    ("starlette", "urllib", "redis"),
    ("starlette", "httpx", "psycopg"),
    ("flask", "requests", "psycopg"),
    ("flask", "httpx", "sqlite3"),
    ("django-wsgi", "requests", "redis"),
    ("django-wsgi", "urllib", "sqlalchemy"),
    ("django-asgi", "httpx", "psycopg"),
]
SYSTEMS = {"sqlite3": "sqlite", "sqlalchemy": "sqlite", "psycopg": "postgresql", "redis": "redis"}
ROUTES = {"fastapi": "/orders/{number}", "starlette": "/orders/{number:int}", "flask": "/orders/<int:number>"}


@pytest.fixture
def stores(request):
    """Return the variables by which the programs find the stores that a row needs."""

    def variables(store: str) -> dict[str, str]:
        if store == "psycopg":
            return {"DSN": request.getfixturevalue("postgres").dsn()}
        if store == "redis":
            return {"REDIS_URL": request.getfixturevalue("redis_server").url()}
        return {}

    return variables


@pytest.mark.parametrize(("framework", "client", "store"), ROWS)
def test_one_request_is_one_connected_trace(run, receiver, stores, framework, client, store):
    """Query and call are below the route's span, the called route is below the call, the log line is at the first."""
    service = f"{framework}-{client}-{store}"
    program = run(
        *FRAMEWORKS[framework], service=service, variables={"CLIENT": client, "STORE": store, **stores(store)}
    )
    assert program.get("/orders/7")["number"] == 42

    route = ROUTES.get(framework, "orders/<int:number>")
    spans = receiver.until(
        f"""SELECT span_id, parent_span_id, kind, name, trace_id, "db.system.name", "http.response.status_code"
        FROM spans WHERE service_name = '{service}' AND kind != 'internal'""",
        lambda rows: (
            {f"GET {route}", "GET leaf", "GET /leaf"} & {row[3] for row in rows} >= {f"GET {route}"} and len(rows) >= 4
        ),
    )
    by_id = {row[0]: row for row in spans}
    (root,) = [row for row in spans if row[3] == f"GET {route}"]
    (leaf,) = [row for row in spans if row[3].endswith("leaf") and row[2] == "server"]
    call = by_id[leaf[1]]
    queries = [row for row in spans if row[5] == SYSTEMS[store]]

    assert (root[1], root[2], root[6]) == (None, "server", 200)
    assert (call[1], call[2], call[6]) == (root[0], "client", 200)
    assert queries
    assert {(row[1], row[2]) for row in queries} == {(root[0], "client")}
    assert {row[4] for row in spans} == {root[4]}

    logs = receiver.until(
        f"SELECT trace_id, span_id FROM logs WHERE service_name = '{service}' AND body = 'at work'",
        lambda rows: rows != [],
    )
    assert logs == [(root[4], root[0])]

    metrics = ("http.server.request.duration", "http.client.request.duration", "process.cpu.time")
    named = receiver.until(
        f"SELECT DISTINCT metric_name FROM metrics WHERE service_name = '{service}'",
        lambda rows: set(metrics) <= {row[0] for row in rows},
    )
    assert set(metrics) <= {row[0] for row in named}
    assert "db.client.connections.usage" not in {row[0] for row in named}  # the old name of what ours say


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_failing_route_is_an_error_with_its_exception(run, receiver, framework):
    """What a route raises marks its span as failed, with type, message and the line of the application's own code."""
    service = f"{framework}-broken"
    program = run(*FRAMEWORKS[framework], service=service, variables={"CLIENT": "urllib", "STORE": "sqlite3"})
    with pytest.raises(ValueError, match="Expecting value"):  # the error page is not JSON
        program.get("/broken")
    rows = receiver.until(
        f"""SELECT status, "event.exception.type", "event.exception.message", "event.exception.stacktrace"
        FROM spans WHERE service_name = '{service}' AND kind = 'server'""",
        lambda rows: rows != [],
    )
    (status, kinds, messages, stacks) = rows[0]

    assert (status, kinds, messages) == ("error", ["LookupError"], ["nothing there"])
    assert 'raise LookupError("nothing there")' in stacks[0]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_celery_tasks_belong_to_the_trace_that_sent_them(run, receiver, redis_server, pool):
    """Each task's span has its sender's as parent; log lines carry its ids; the worker's children send metrics."""
    variables = {"REDIS_URL": redis_server.url(1 if pool == "prefork" else 2)}
    service = f"celery-{pool}"
    run("celery", "-A", "jobs", "worker", "--pool", pool, "--concurrency", "2", service=service, variables=variables)
    run("jobs.py", service=f"{service}-sender", variables=variables).finish()

    tasks = receiver.until(
        f"""SELECT t.span_id, t.parent_span_id, s.span_id, t."process.pid", t.status FROM spans t
        JOIN spans s ON s.trace_id = t.trace_id AND s.service_name = '{service}-sender' AND s.kind = 'producer'
        WHERE t.service_name = '{service}' AND t.kind = 'consumer'""",
        lambda rows: len(rows) == 21,
    )
    pids = {row[3] for row in tasks}

    assert [row[1] for row in tasks] == [row[2] for row in tasks]
    assert sorted(row[4] for row in tasks) == ["error", *["unset"] * 20]
    assert pids <= receiver.pids("metrics", service, pids)

    logs = receiver.until(
        f"SELECT span_id FROM logs WHERE service_name = '{service}' AND body = 'adding'", lambda rows: len(rows) == 20
    )
    assert {row[0] for row in logs} <= {row[0] for row in tasks}
    assert len(logs) == 20
