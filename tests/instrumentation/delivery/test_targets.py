"""Where each signal goes: our settings beside OpenTelemetry's variables of one signal."""

from __future__ import annotations

import pytest

from spanglass.delivery.signals import SIGNALS, TRACES
from spanglass.delivery.transport.targets import find_target
from spanglass.settings.settings import SettingsError, load

OWN = "http://own.example:4318/traces"


def target_of(options, environ, signal=TRACES):
    """Find a target as an application with these options and variables does."""
    return find_target(signal, load(options, environ), environ)


def test_paths_are_added_to_the_endpoint():
    """Each signal has its path below the endpoint, whether that ends with a slash or not."""
    urls = [
        target_of({"endpoint": base}, {}, signal).url
        for base in ("http://h:1", "http://h:1/x/")
        for signal in SIGNALS.values()
    ]
    assert urls == [
        "http://h:1/v1/traces",
        "http://h:1/v1/metrics",
        "http://h:1/v1/logs",
        "http://h:1/x/v1/traces",
        "http://h:1/x/v1/metrics",
        "http://h:1/x/v1/logs",
    ]


@pytest.mark.parametrize(
    ("options", "environ", "url"),
    [
        ({}, {}, OWN),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all.example:4318"}, OWN),
        ({}, {"SPANGLASS_ENDPOINT": "http://ours.example"}, "http://ours.example/v1/traces"),
        ({"endpoint": "http://code.example"}, {}, "http://code.example/v1/traces"),
        (
            {"endpoint": "http://code.example"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all.example:4318"},
            "http://code.example/v1/traces",
        ),
    ],
)
def test_a_signals_own_address_wins_unless_ours_say_otherwise(options, environ, url):
    """OTEL_EXPORTER_OTLP_TRACES_ENDPOINT wins over the general one, and loses to ours; for its signal alone."""
    environ = {**environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": OWN}
    assert target_of(options, environ).url == url
    assert target_of(options, environ, SIGNALS["logs"]).url.endswith("/v1/logs")


def test_other_variables_of_a_signal():
    """Headers, timeout, compression and certificates of one signal are taken, as upstream writes them."""
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "x-all=1",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-own=a%20b",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2.5",
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "all.pem",
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY": "own.key",
    }
    made = target_of({"token": "t0ken"}, environ)
    assert (made.headers, made.timeout_ns, made.compression, made.certificate, made.client_key) == (
        {"x-own": "a b", "authorization": "Bearer t0ken"},
        2_500_000_000,
        "none",
        "all.pem",
        "own.key",
    )
    assert target_of({}, environ, SIGNALS["logs"]).headers == {"x-all": "1"}


def test_headers_of_ours_are_added_to_those_of_a_signal():
    """Headers given in code are sent beside the signal's own, and win where both name one."""
    environ = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-own=1,x-both=1"}
    made = target_of({"headers": {"x-both": "2"}}, environ)
    assert made.headers == {"x-own": "1", "x-both": "2"}


def test_grpc_takes_host_and_port_and_is_plain_without_https():
    """With gRPC a signal's address may be host:port; https alone makes it secure, and so does INSECURE=false."""
    environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "own.example:4317"}
    made = target_of({"protocol": "grpc"}, environ)
    secure = target_of({"protocol": "grpc", "endpoint": "https://x.example"}, {})
    forced = target_of({"protocol": "grpc"}, {**environ, "OTEL_EXPORTER_OTLP_INSECURE": "false"})
    assert [(each.host, each.insecure) for each in (made, secure, forced)] == [
        ("own.example:4317", True),
        ("x.example:443", False),
        ("own.example:4317", False),
    ]


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("ENDPOINT", "own.example", "expected a whole address such as http://127.0.0.1:4318/v1/traces"),
        ("TIMEOUT", "soon", "expected a number of seconds (got 'soon')"),
        ("COMPRESSION", "lzma", "expected one of gzip, deflate, none"),
        ("HEADERS", "secret", "expected name=value pairs with commas between them"),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused_by_its_name(what, value, message):
    """The error names the variable and says what was expected; the value of headers is not shown."""
    name = f"OTEL_EXPORTER_OTLP_TRACES_{what}"
    with pytest.raises(SettingsError) as refused:
        target_of({}, {name: value})
    assert str(refused.value) == f"environment variable {name}: {message}"


def test_secrets_are_not_shown():
    """Neither a target's representation nor its address for messages has headers, user or password in it."""
    made = target_of({"endpoint": "http://ann:pw@h:1/x", "token": "t0ken", "headers": {"k": "v4lue"}}, {})
    assert made.shown == "http://h:1/x/v1/traces"
    assert [secret for secret in ("ann", "pw", "t0ken", "v4lue") if secret in repr(made)] == []
