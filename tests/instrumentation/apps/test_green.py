"""gevent, which replaces threads, sockets and TLS after telemetry has begun."""

from __future__ import annotations

import signal

import pytest
from certificates import Fine

pytestmark = pytest.mark.slow
# as usual: so that threads of ours are in the middle of something when the patching comes
VARIABLES = {"SPANGLASS_METRIC_INTERVAL": "1s", "OTEL_BSP_SCHEDULE_DELAY": "1000"}
GUNICORN = ["gunicorn", "--bind", "127.0.0.1:{port}", "-k", "gevent", "green_app:app"]
PROGRAMS = {"green-worker": (GUNICORN, 0), "green-script": (["green_app.py"], -signal.SIGTERM)}
REQUESTS = 12


def test_https_works_and_the_end_is_quiet(run, receiver, certificate):
    """Requests of the application over TLS succeed, every record arrives, and nothing is printed of failures."""
    with certificate.serve(Fine) as url:
        variables = {**VARIABLES, "HTTPS_URL": url, "CERTIFICATE": str(certificate.certificate)}
        programs = {name: run(*words, service=name, variables=variables) for name, (words, _) in PROGRAMS.items()}
        answers = {name: [program.get("/who") for _ in range(REQUESTS)] for name, program in programs.items()}
        codes = {name: program.stop() for name, program in programs.items()}

    assert codes == {name: code for name, (_, code) in PROGRAMS.items()}
    for name, program in programs.items():
        assert [(each["codes"], each["sleeps"]) for each in answers[name]] == [([200, 200], "gevent.hub")] * REQUESTS
        for sign in ("Traceback", "Error", "Warning", "could not"):
            assert sign not in program.output
        rows = receiver.until(
            f"""SELECT count(*), count(DISTINCT trace_id) FROM logs
            WHERE service_name = '{name}' AND body = 'asked who I am'""",  # noqa: S608 - ours
            lambda rows: rows == [(REQUESTS, REQUESTS)],
        )
        assert rows == [(REQUESTS, REQUESTS)]
        workers = {each["pid"] for each in answers[name]}
        assert workers <= receiver.pids("metrics", name, workers)
