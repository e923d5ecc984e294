"""uWSGI, which forks below Python: workers have identities of their own and send, in all arrangements of doctor."""

# ruff: noqa: S608 - names of services of these tests stand in their statements

from __future__ import annotations

import shutil

import pytest
from servers import missing

pytestmark = pytest.mark.slow
VIEWS = ("spans", "logs", "metrics")
UWSGI = ["uwsgi", "--http-socket", "127.0.0.1:{port}", "--master", "--die-on-term", "--processes", "2", "--need-app"]
THREADS = [*UWSGI, "--enable-threads"]

#: Words, and whether `spanglass run` begins (True) or the application's own module.
ARRANGEMENTS = {
    "uwsgi-forking": ([*THREADS, "--module", "wsgi_hook:app"], True),
    "uwsgi-lazy": ([*THREADS, "--lazy-apps", "--module", "wsgi_app:app"], True),
    "uwsgi-hooks": ([*THREADS, "--py-call-uwsgi-fork-hooks", "--module", "wsgi_app:app"], True),
    "uwsgi-module": ([*THREADS, "--module", "wsgi_configured:app"], None),
}


def test_every_worker_of_uwsgi_delivers_as_itself(run, receiver, environ):
    """Spans, logs and metrics of each worker arrive while it runs, under one id of its own; the end takes no time."""
    if shutil.which("uwsgi", path=environ["PATH"]) is None:
        missing("uwsgi is not in the environment: .venv/bin/pip install uwsgi==2.0.31, which needs a C compiler")
    programs = {
        name: run(*words, service=name, spanglass=spanglass) for name, (words, spanglass) in ARRANGEMENTS.items()
    }
    workers = {name: program.pids_serving("/who", 2) for name, program in programs.items()}
    hooked = programs["uwsgi-forking"].get("/hooked")

    for name, pids in workers.items():
        assert {view: pids <= receiver.pids(view, name, pids) for view in VIEWS} == dict.fromkeys(VIEWS, True), name
        ids = receiver.sql(
            f"""SELECT "process.pid", count(DISTINCT "service.instance.id"), any_value("service.instance.id")
            FROM metrics WHERE service_name = '{name}' GROUP BY ALL"""
        )
        assert ({count for _, count, _ in ids}, len({instance for *_, instance in ids})) == ({1}, len(ids)), name
    assert sorted(hooked) == ["decorated", "direct"]
    assert {name: program.stop() for name, program in programs.items()} == dict.fromkeys(ARRANGEMENTS, 0)
    for program in programs.values():
        assert "Traceback" not in program.output
