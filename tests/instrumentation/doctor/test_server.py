"""What doctor says of the server: a real one, one that is down, slow, refuses, or is none at all; proxies; clocks."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

REMEDY_DOWN = "start a server with `spanglass serve`, or name another: export SPANGLASS_ENDPOINT=..."
REMEDY_TOKEN = "export SPANGLASS_TOKEN=... with the server's ingest token"  # noqa: S105 - a sentence
ALL = "traces, metrics, logs"
INGEST, READ = "ingest-secret", "read-secret"  # as in conftest


def severities(report, area="server"):
    return [severity for severity, _text, _remedy in report.of(area)]


def test_a_real_server_takes_everything(doctor, real):
    """With the right tokens each signal is accepted over HTTP, the clocks agree, and there is no problem."""
    report = doctor(SPANGLASS_ENDPOINT=real.url, SPANGLASS_TOKEN=INGEST, SPANGLASS_READ_TOKEN=READ)

    assert [(each["signal"], each["url"], each["accepted"], each["status"]) for each in report["server"]] == [
        (name, f"{real.url}/v1/{name}", True, 200) for name in ("traces", "metrics", "logs")
    ]
    assert severities(report) == ["ok", "ok"]
    assert abs(report["clock_difference_s"]) < 2
    assert report.of("running") == [["note", "the server got no metrics of any service in the last 15m", ""]]
    assert report["exit"] == 0


def test_a_real_server_over_grpc(doctor, real):
    """Over gRPC the same holds; there is no Date to compare clocks by."""
    report = doctor(
        SPANGLASS_ENDPOINT=f"http://127.0.0.1:{real.grpc_port}",
        SPANGLASS_PROTOCOL="grpc",
        SPANGLASS_TOKEN=INGEST,
    )

    assert [each["accepted"] for each in report["server"]] == [True, True, True]
    assert (severities(report), report["clock_difference_s"], report["exit"]) == (["ok"], None, 0)


def test_a_wrong_token(doctor, real):
    """A token that the server does not know is said once for all signals, with the setting that mends it."""
    report = doctor(SPANGLASS_ENDPOINT=real.url, SPANGLASS_TOKEN=f"not-{INGEST}")

    (severity, text, remedy), *_ = report.of("server")
    assert (severity, remedy, report["exit"]) == ("problem", REMEDY_TOKEN, 1)
    assert text.startswith(f"{real.url} does not take {ALL}: 401 Unauthorized")
    assert [each["status"] for each in report["server"]] == [401, 401, 401]


def test_without_the_read_token(doctor, real):
    """Not being allowed to read is a note, for telemetry arrives all the same."""
    report = doctor(SPANGLASS_ENDPOINT=real.url, SPANGLASS_TOKEN=INGEST)

    ((severity, _text, remedy),) = report.of("running")
    assert (severity, remedy) == ("note", "a server with read tokens needs one in SPANGLASS_READ_TOKEN")
    assert report["exit"] == 0


SENDER = """
import sys
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

exporter = OTLPMetricExporter(sys.argv[1] + "/v1/metrics", headers={"authorization": "Bearer ingest-secret"})
reader = PeriodicExportingMetricReader(exporter)
meter = MeterProvider([reader], Resource({"service.name": sys.argv[2]})).get_meter("spanglass")
exported = meter.create_counter("otel.sdk.exporter.span.exported")
processed = meter.create_counter("otel.sdk.processor.span.processed")
exported.add(100), exported.add(0, {"error.type": "503"}), processed.add(0, {"error.type": "queue_full"})
reader.collect()
exported.add(20, {"error.type": "503"})
processed.add(7, {"error.type": "queue_full"})
meter.create_gauge("spanglass.instrumentation.problem").set(
    1, {"spanglass.instrumentation.name": "redis", "spanglass.instrumentation.state": "broken",
        "spanglass.instrumentation.reason": "RuntimeError: no"})
meter.create_counter("spanglass.internal.failures").add(2, {"spanglass.internal.failure": "export spans"})
reader.collect()
reader.shutdown()
"""


def test_what_running_processes_said(doctor, real, surroundings):
    """Losses and instrumentations in trouble of this service, as its processes sent them, are findings."""
    subprocess.run([sys.executable, "-c", SENDER, real.url, "shop"], env=surroundings, check=True, timeout=180)

    report = doctor(
        SPANGLASS_ENDPOINT=real.url,
        SPANGLASS_TOKEN=INGEST,
        SPANGLASS_READ_TOKEN=READ,
        SPANGLASS_SERVICE_NAME="shop",
    )

    assert report["running"] == {
        "service": "shop",
        "last": "15m",
        "seen": True,
        "lost": {"traces": {"503": 20, "queue_full": 7}},
        "instrumentations": [{"name": "redis", "state": "broken", "reason": "RuntimeError: no"}],
        "failures": {"export spans": 2},
    }
    assert report.of("running") == [
        [
            "warning",
            "shop lost spans in the last 15m: 20 503, 7 queue_full",
            "raise SPANGLASS_MAX_QUEUE_SPANS, or sample: SPANGLASS_SAMPLE_RATIO",
        ],
        [
            "warning",
            "shop: instrumentation redis is broken: RuntimeError: no",
            "docs/app/doctor.md says what each state means",
        ],
        [
            "warning",
            "shop: Spanglass could not export spans: 2 times; the application went on",
            "the application's log has the first one with its traceback",
        ],
    ]
    assert report["exit"] == 0


def test_nothing_listens(doctor):
    """A port without a server is a problem that says how to start one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        report = doctor(SPANGLASS_ENDPOINT=url)

    assert report.of("server") == [["problem", f"{url} does not take {ALL}: connection refused", REMEDY_DOWN]]
    assert [(each["reached"], each["status"]) for each in report["server"]] == [(False, None)] * 3
    assert (report["clock_difference_s"], report["running"], report["exit"]) == (None, {}, 1)


def test_a_server_that_hangs(doctor, canned):
    """A server that does not answer in time is a problem, and doctor ends."""
    canned.go.clear()

    report = doctor(SPANGLASS_ENDPOINT=canned.url, SPANGLASS_SEND_TIMEOUT="200ms")

    ((severity, text, _remedy),) = report.of("server")
    assert (severity, text) == ("problem", f"{canned.url} does not take {ALL}: no answer in time")


def test_signals_that_fare_differently_and_signals_that_are_off(doctor, canned):
    """Only signals that are on are tried, each at the address that its own variable names."""
    other = f"{canned.url}/elsewhere"
    canned.headers["Date"] = "Mon, 01 Jan 2024 00:00:00 GMT"

    report = doctor(
        SPANGLASS_METRICS="false", OTEL_EXPORTER_OTLP_ENDPOINT=canned.url, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=other
    )

    posts = sorted(path for method, path, _headers in canned.received if method == "POST")
    assert posts == ["/elsewhere", "/v1/traces"]
    assert [each["signal"] for each in report["server"]] == ["traces", "logs"]


@pytest.mark.parametrize(
    ("status", "kind", "reason", "remedy"),
    [
        (200, "text/html", "the answer is a web page, not OTLP; check `endpoint`", "check SPANGLASS_ENDPOINT"),
        (404, "text/plain", "404: `endpoint` is the server's address", "export SPANGLASS_ENDPOINT=http://HOST:4318"),
        (503, "text/plain", "503", "check SPANGLASS_ENDPOINT"),
    ],
)
def test_other_answers(doctor, canned, status, kind, reason, remedy):
    """A web page, a wrong path and an overloaded server each are told apart."""
    canned.status, canned.headers = status, {"Content-Type": kind}

    (severity, text, how), *_ = doctor(SPANGLASS_ENDPOINT=canned.url).of("server")

    assert severity == "problem"
    assert reason.split(":")[0] in text
    assert how.startswith(remedy)


def test_clocks_that_disagree(doctor, canned):
    """A server whose Date is far from now is a warning with the command that sets clocks."""
    canned.headers["Date"] = "Mon, 01 Jan 2024 00:00:00 GMT"

    report = doctor(SPANGLASS_ENDPOINT=canned.url)

    severity, text, remedy = report.of("server")[-1]
    assert report["clock_difference_s"] < -1e6
    assert (severity, "behind this machine's" in text, remedy) == (
        "warning",
        True,
        "set both clocks by NTP: timedatectl set-ntp true",
    )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"HTTP_PROXY": "http://user:secret@proxy.example:3128"},
            [
                "problem",
                "HTTP_PROXY sends requests to 127.0.0.1, which is this machine, through http://proxy.example:3128",
                "export NO_PROXY=127.0.0.1",
            ],
        ),
        (
            {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": "127.0.0.1"},
            ["ok", "HTTP_PROXY is set, and NO_PROXY leaves 127.0.0.1 out of it", ""],
        ),
    ],
    ids=["caught", "left out"],
)
def test_proxies(doctor, canned, environ, expected):
    """A proxy that catches loopback is a problem, without its password; one that NO_PROXY leaves out is fine."""
    report = doctor(SPANGLASS_ENDPOINT=canned.url, **environ)

    assert expected in report.of("server")
    assert "secret" not in str(report)


def test_offline(doctor, canned):
    """With --offline the server is not asked."""
    report = doctor("--offline", SPANGLASS_ENDPOINT=canned.url)

    assert (canned.received, report["server"], report.of("server"), report["exit"]) == ([], [], [], 0)
