"""Settings of an application: sources, their order, and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import get_type_hints

import pytest

from spanglass.settings.options import Options
from spanglass.settings.settings import SettingsError, describe, load, unknown_variables
from spanglass.settings.table import TABLE
from spanglass_core.settings_types import Secret


def test_options_are_the_table():
    """The typed options of configure() are the rows of the table, in the same order."""
    assert list(get_type_hints(Options)) == list(TABLE)


def test_defaults_need_nothing():
    """Without options and variables every setting has its default, named as such."""
    sourced = describe({}, {})

    assert [(each.value, each.place) for each in sourced] == [(row.default, "default") for row in TABLE.values()]


def test_code_wins_over_our_variable_over_opentelemetrys():
    """An option is stronger than SPANGLASS_SERVICE_NAME, and that is stronger than OTEL_SERVICE_NAME."""
    both = {"SPANGLASS_SERVICE_NAME": "ours", "OTEL_SERVICE_NAME": "theirs"}

    assert load({"service_name": "code"}, both).service_name == "code"
    assert load({"service_name": None}, both).service_name == "ours"
    assert load({}, {"SPANGLASS_SERVICE_NAME": " ", "OTEL_SERVICE_NAME": "theirs"}).service_name == "theirs"


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("OTEL_SDK_DISABLED", "true", "enabled", False),
        ("OTEL_SDK_DISABLED", "false", "enabled", True),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500", "metric_interval_ns", 500_000_000),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3", "send_timeout_ns", 3_000_000_000),
        ("OTEL_EXPORTER_OTLP_HEADERS", "X-Team=a%2Cb", "headers", (("x-team", "a,b"),)),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, flask", "disabled_instrumentations", ("redis", "flask")),
    ],
)
def test_opentelemetrys_variables_are_read_in_their_own_form(variable, text, attribute, value):
    """A variable of OpenTelemetry keeps its meaning and its unit."""
    assert getattr(load({}, {variable: text}), attribute) == value


def test_values_of_python_are_taken_as_they_are():
    """Options take booleans, numbers, paths, time spans, lists and mappings."""
    settings = load(
        {
            "console": "ON",
            "headers": {"X-Team": "a,b=c"},
            "in_app_include": ["shop", "lib"],
            "sample_ratio": 0.25,
            "send_timeout": dt.timedelta(milliseconds=1500),
            "spool_dir": Path("spool"),
            "spool_max_bytes": "2MiB",
            "token": "s3cret",
            "traces": False,
        },
        {},
    )

    assert (settings.console, settings.headers, settings.in_app_include) == (
        "on",
        (("x-team", "a,b=c"),),
        ("shop", "lib"),
    )
    assert (settings.sample_ratio, settings.send_timeout_ns, settings.spool_dir) == (0.25, 1_500_000_000, Path("spool"))
    assert (settings.spool_max_bytes, settings.token, settings.traces) == (2 * 1024**2, Secret("s3cret"), False)


@pytest.mark.parametrize(
    ("options", "variables", "message"),
    [
        ({"sample_rate": 1}, {}, "configure(): unknown option 'sample_rate'; did you mean 'sample_ratio'?"),
        ({"traces": "perhaps"}, {}, "configure(): traces: expected true or false (got 'perhaps')"),
        (
            {},
            {"SPANGLASS_SAMPLE_RATIO": "2"},
            (
                "environment variable SPANGLASS_SAMPLE_RATIO: sample_ratio: expected a number from 0 to 1, or a "
                "percentage such "
                "as 10% (got '2')"
            ),
        ),
        (
            {"send_timeout": 5},
            {},
            "configure(): send_timeout: a duration needs its unit: '5s', '5ms', or a timedelta",
        ),
        (
            {"protocol": "http/json"},
            {},
            "configure(): protocol: expected one of http/protobuf, grpc (got 'http/json')",
        ),
        (
            {"endpoint": "telemetry:4318"},
            {},
            (
                "endpoint: expected an address such as http://127.0.0.1:4318 or https://telemetry.example (got "
                "'telemetry:4318')"
            ),
        ),
        (
            {"metric_interval": "0"},
            {},
            "metric_interval: expected more than 0; to send no metrics set metrics to false",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(options, variables, message):
    """The error names the source, the setting, what was expected and what was given."""
    with pytest.raises(SettingsError) as caught:
        load(options, variables)

    assert str(caught.value) == message


def test_secrets_are_not_shown():
    """Neither an error, nor the settings' representation, nor their description holds a token or a header's value."""
    unsendable = "tok s3cret"
    with pytest.raises(SettingsError) as caught:
        load({"token": unsendable}, {})
    options = {"token": "s3cret", "headers": {"authorization": "s3cret"}}
    shown = [repr(load(options, {})), *(each.text for each in describe(options, {})), str(caught.value)]

    assert not [text for text in shown if "s3cret" in text]


def test_unknown_variables_are_named_with_a_suggestion():
    """A mistyped variable of ours is found; the server's are none of an application's business."""
    environ = {
        "SPANGLASS_SERVICE_NAM": "x",
        "SPANGLASS_STORAGE_DIR": "y",
        "SPANGLASS_URL": "z",
        "SPANGLASS_TRACES": "true",
    }

    assert unknown_variables(environ) == [
        "unknown variable SPANGLASS_SERVICE_NAM; did you mean 'SPANGLASS_SERVICE_NAME'?"
    ]
