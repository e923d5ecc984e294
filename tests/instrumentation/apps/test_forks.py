"""Every worker delivers all three signals, whichever way it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
VIEWS = ("spans", "logs", "metrics")
PROGRAMS = Path(__file__).with_name("programs")

SERVERS = {
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "wsgi_app:app"],
    "gunicorn-preload": ["gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "--preload", "wsgi_app:app"],
    "gunicorn-threads": ["gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "--threads", "2", "wsgi_app:app"],
    "uvicorn-workers": ["uvicorn", "--port", "{port}", "--workers", "2", "asgi_app:app"],
}


@pytest.mark.parametrize("name", SERVERS)
def test_every_worker_of_a_web_server_delivers(run, receiver, name):
    """Spans, log records and metrics of each worker arrive while it runs, under its own process id."""
    program = run(*SERVERS[name], service=name)
    workers = program.pids_serving("/who", 2)

    assert {view: workers <= receiver.pids(view, name, workers) for view in VIEWS} == dict.fromkeys(VIEWS, True)
    instances = receiver.sql(
        f"""SELECT "process.pid", count(DISTINCT "service.instance.id") FROM metrics
        WHERE service_name = '{name}' GROUP BY ALL"""  # noqa: S608 - ours
    )
    assert {pid: count for pid, count in instances if pid in workers} == dict.fromkeys(workers, 1)


@pytest.mark.parametrize("name", SERVERS)
def test_a_web_server_stopped_at_once_delivers(run, receiver, name):
    """SIGTERM right after a request: the worker's span, log record and metrics are sent before it ends."""
    service = f"{name}-stopped"
    program = run(*SERVERS[name], service=service, variables={"SPANGLASS_METRIC_INTERVAL": "1h"})
    pid = program.get("/who")["pid"]
    program.stop()

    assert {view: pid in receiver.pids(view, service, {pid}) for view in VIEWS} == dict.fromkeys(VIEWS, True)


def test_uvicorn_reload_delivers(run, receiver, tmp_path):
    """The process that uvicorn --reload starts delivers, and so does the one that follows it after a change."""
    app = tmp_path / "reloaded.py"
    app.write_text((PROGRAMS / "asgi_app.py").read_text())
    words = ["uvicorn", "--port", "{port}", "--reload", "--reload-dir", str(tmp_path), "--app-dir", str(tmp_path)]
    program = run(*words, "reloaded:app", service="reload")
    first = program.get("/who")["pid"]
    second = first
    while second == first:
        app.touch()
        second = program.get("/who")["pid"]

    wanted = {first, second}
    assert {view: wanted <= receiver.pids(view, "reload", wanted) for view in VIEWS} == dict.fromkeys(VIEWS, True)


@pytest.mark.parametrize("way", ["fork", "forkserver", "spawn", "pool", "os.fork"])
def test_every_child_of_a_script_delivers(run, receiver, way):
    """Children of multiprocessing and os.fork deliver before they end, however short they live."""
    service = f"children-{way}"
    program = run("forking.py", way, service=service, variables={"SPANGLASS_METRIC_INTERVAL": "1h"})
    pids = {int(pid) for pid in program.finish().splitlines()[-1].split()}

    assert len(pids) > 1
    assert {view: pids <= receiver.pids(view, service, pids) for view in VIEWS} == dict.fromkeys(VIEWS, True)


def test_every_work_horse_of_rq_delivers(run, receiver, redis_server):
    """What a job logs arrives, though RQ ends its process by os._exit."""
    variables = {"REDIS_URL": redis_server.url(3)}
    run("rq_work.py", service="rq-queue", variables=variables).finish()
    run("rq", "worker", "--burst", "--url", variables["REDIS_URL"], service="rq-work").finish()
    rows = receiver.until(
        """SELECT body, "process.pid" FROM logs WHERE service_name = 'rq-work' AND scope_name = 'rq_work'""",
        lambda rows: len(rows) == 3,
    )

    assert len(rows) == len({pid for _, pid in rows}) == 3
    assert [body for body, _ in rows] == [f"adding in {pid}" for _, pid in rows]


def test_a_child_counts_from_zero(run, receiver):
    """What the parent counted before the fork is not sent a second time by the child."""
    program = run("counting.py", service="counting", variables={"SPANGLASS_METRIC_INTERVAL": "1h"})
    program.finish()
    rows = receiver.until(
        "SELECT sum(value) FROM metrics WHERE service_name = 'counting' AND metric_name = 'work.done'",
        lambda rows: rows == [(5.0,)],
    )

    assert rows == [(5.0,)]


def test_sigterm_sends_the_rest_and_ends_by_the_signal(run, receiver):
    """A script without a handler is ended by SIGTERM, as its supervisor sees, and its records arrive."""
    program = run("waiting.py", service="waiting", variables={"SPANGLASS_METRIC_INTERVAL": "1h"})
    program.get("/")
    code = program.stop()

    assert code == -15
    assert receiver.pids("logs", "waiting", {program.process.pid}) == {program.process.pid}
