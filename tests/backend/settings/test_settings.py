"""Settings: the table, its sources, and what is refused."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import pytest

from spanglass_server.settings.monitoring import SETTINGS
from spanglass_server.settings.settings import Secret, Settings, SettingsError, describe, load, parse_assignments
from spanglass_server.settings.table import TABLE

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def write(tmp_path, text):
    file = tmp_path / "spanglass.yaml"
    file.write_text(text)
    return file


def refusal(**sources):
    with pytest.raises(SettingsError) as caught:
        load(**sources)
    return str(caught.value)


def test_defaults():
    """Without any source the settings are the table's defaults."""
    assert load() == Settings()


def test_later_sources_win(tmp_path):
    """The file wins over defaults, the environment over the file, the command line over both."""
    file = write(tmp_path, "server: {host: '::1', port: 1, grpc_port: 2}\nretention:\n  traces: 36h\n")
    environ = {"SPANGLASS_SERVER_PORT": "3", "SPANGLASS_SERVER_GRPC_PORT": "4", "SPANGLASS_LOG_LEVEL": ""}

    settings = load(file=file, environ=environ, overrides={"server.grpc_port": "5"})

    server = settings.server
    assert (server.host, server.port, server.grpc_port) == ("::1", 3, 5)
    assert (settings.retention.traces_ns, settings.log.level) == (36 * 3600 * 10**9, "info")


def test_every_type_from_yaml(tmp_path):
    """Each type reads YAML as it is written there: units, lists, words for booleans, numbers with or without quotes."""
    file = write(
        tmp_path,
        """
        server: {insecure: yes, port: "8080", host: 192.0.2.1}
        data: {dir: data/x}
        auth: {read_token: 0123}
        cors: {allowed_origins: ["https://a", "https://b"], max_age: 0}
        ingest: {max_body_bytes: 1.5MiB, max_records: 1_000}
        query:
        """,
    )

    settings = load(file=file)

    assert (settings.server.insecure, settings.server.port, settings.server.host) == (True, 8080, "192.0.2.1")
    assert (settings.data.dir, settings.auth.read_token.reveal()) == (Path("data/x"), "0123")
    assert (settings.cors.allowed_origins, settings.cors.max_age_ns) == (("https://a", "https://b"), 0)
    assert (settings.ingest.max_body_bytes, settings.ingest.max_records) == (1_572_864, 1000)


def test_settings_below_monitoring(tmp_path):
    """``monitoring:`` gives settings by the names that requirement C1 has for them; other parts are read elsewhere."""
    file = write(
        tmp_path,
        """
        monitoring:
          performance: {enabled: true, sampling_rate: 1.0, retention_days: 14}
          health: {enabled: false, check_interval: 15s, timeout: 5s}
          metrics: {enabled: yes, retention_days: 7}
          alerting:
            enabled: false
            channels: [mail, slack]
          alert_rules: [{name: Errors, condition: error_rate > 0.05, severity: error}]
          dashboards:
        """,
    )

    settings = load(file=file)

    assert (settings.retention.traces_ns, settings.retention.metrics_ns) == (14 * 86400 * 10**9, 7 * 86400 * 10**9)
    assert (settings.alerting.enabled, settings.alerting.channels) == (False, ("mail", "slack"))
    health = settings.health
    assert (health.enabled, health.check_interval_ns, health.timeout_ns) == (False, 15 * 10**9, 5 * 10**9)


def test_every_value_reads_back():
    """What is shown as a setting's value is read as the same value, so `--check` can be copied into a file."""
    settings = Settings()
    shown = {row.name: text for row, text in describe(settings) if text}

    assert load(overrides=shown) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server:\n  prot: 1", "FILE:2:3: unknown setting 'server.prot'; did you mean 'server.port'?"),
        ("server:\n  traces: 1d", "FILE:2:3: unknown setting 'server.traces'; did you mean 'retention.traces'?"),
        (
            "monitoring:\n  dashbords: []",
            "FILE:2:3: unknown part of monitoring 'dashbords'; did you mean 'dashboards'?",
        ),
        (
            "monitoring:\n  alerting: {enabeld: no}",
            "FILE:2:14: unknown key 'enabeld' of monitoring.alerting; did you mean 'enabled'?",
        ),
        (
            "monitoring:\n  alerting: {interval: 5s}",
            "FILE:2:14: unknown key 'interval' of monitoring.alerting; write alerting.interval at the top level",
        ),
        (
            "alerting:\n  enabled: no\nmonitoring:\n  alerting: {enabled: yes}",
            "FILE:4:14: alerting.enabled is given twice, first at FILE:2:3",
        ),
        (
            "monitoring:\n  metrics: {collection_interval: 5s}",
            "FILE:2:13: monitoring.metrics.collection_interval can't be '5s' here: "
            + SETTINGS["metrics"]["collection_interval"].instead,
        ),
        ("server:\n  xyzzy: 1", "FILE:2:3: unknown setting 'server.xyzzy'; docs/settings.md lists all settings"),
        (
            "sever:\n  port: 1",
            "FILE:1:1: unknown group of settings 'sever'; did you mean 'server'?",
        ),
        ("server:\n  port: 1\n  port: 2", "FILE:3:3: server.port is given twice, first at FILE:2:3"),
        (
            "server:\n  port: 65536",
            "FILE:2:3: server.port: expected a whole number from 0 to 65535 (got '65536')",
        ),
        ("server:\n  insecure: maybe", "FILE:2:3: server.insecure: expected true or false (got 'maybe')"),
        (
            "retention:\n  logs: 30",
            "FILE:2:3: retention.logs: '30' is not a duration: add a unit, for example 500ms (got '30')",
        ),
        ("retention:\n  logs: -1d", "FILE:2:3: retention.logs: expected a value of at least 0 (got '-1d')"),
        ("server:\n  port:", "FILE:2:8: server.port: expected a value; leave the line out for the default"),
        (
            "server:\n  port: {a: 1}",
            "FILE:2:9: server.port: expected a value; leave the line out for the default",
        ),
        ("server: 4318", "FILE:1:9: expected settings of the group 'server'"),
        ("- server", "FILE:1:1: expected groups of settings, such as `server:`"),
        ("a: [1\nb: 2", "FILE:2:2: not valid YAML: expected ',' or ']', but got ':'"),
        (
            "server: !!python/object/apply:os.system [ls]",
            "FILE:1:9: expected settings of the group 'server'",
        ),
    ],
)
def test_file_refusals(tmp_path, text, message):
    """What is wrong in a file is refused with line, column and what to do."""
    file = write(tmp_path, text)

    assert refusal(file=file).replace(str(file), "FILE") == message


def test_missing_file(tmp_path):
    """A settings file that is not there is no empty file."""
    file = tmp_path / "none.yaml"

    assert refusal(file=file) == f"the settings file {file} can't be read: No such file or directory"


def test_environment_refusals():
    """A misspelled or ill-typed variable is refused by its name; those of Kubernetes and of other parts are let be."""
    strangers = {"SPANGLASS_URL": "x", "SPANGLASS_SERVER_SERVICE_HOST": "x", "SPANGLASS_SERVER_PORT_80_TCP": "x"}

    assert load(environ=strangers) == Settings()
    assert refusal(environ={"SPANGLASS_SERVER_PROT": "1"}) == (
        "environment: unknown variable SPANGLASS_SERVER_PROT; did you mean 'SPANGLASS_SERVER_PORT'?"
    )
    assert refusal(environ={"SPANGLASS_QUERY_THREADS": "two"}) == (
        "environment variable SPANGLASS_QUERY_THREADS: query.threads: expected a whole number of at least 0 (got 'two')"
    )


def test_command_line_refusals():
    """A wrong assignment on the command line is refused with an example."""
    assert refusal(overrides={"query.thread": "1"}) == (
        "command line: unknown setting 'query.thread'; did you mean 'query.threads'?"
    )
    with pytest.raises(SettingsError, match="--set takes name=value"):
        parse_assignments(["query.threads"])
    assert parse_assignments(["a.b=c=d", " e.f =g"]) == {"a.b": "c=d", "e.f": "g"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"server.port": "5", "server.grpc_port": "5"}, "server.port and server.grpc_port are the same"),
        ({"notifications.link_lifetime": "31d"}, "notifications.link_lifetime is longer than 30 days"),
        ({"ingest.max_inflight_bytes": "1MB"}, "ingest.max_body_bytes is larger than ingest.max_inflight_bytes"),
        (
            {"auth.read_token": "a", "auth.read_token_file": "b"},
            "auth.read_token and auth.read_token_file are both set",
        ),
    ],
)
def test_contradictions(overrides, message):
    """Values that are each fine and together are not are refused."""
    assert refusal(overrides=overrides).startswith(message)


def test_two_free_ports():
    """Both ports may be left to the system."""
    assert load(overrides={"server.port": "0", "server.grpc_port": "0"}).server.port == 0


def test_secrets_are_never_shown(tmp_path):
    """No representation, description or error of settings holds a secret."""
    settings = load(overrides={"auth.ingest_token": "hunter2"})
    file = write(tmp_path, "auth:\n  read_token: hunter2 with spaces\n")
    texts = [
        repr(settings),
        str(settings.auth.ingest_token),
        f"{settings}",
        repr(describe(settings)),
        refusal(file=file),
    ]

    assert not [text for text in texts if "hunter2" in text]
    assert settings.auth.ingest_token.reveal() == "hunter2"
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(settings.auth.ingest_token)


def test_secrets_compare_by_text():
    """Two secrets of one text are equal, and an empty one is false."""
    assert (Secret("a") == Secret("a"), Secret("a") == Secret("b"), bool(Secret(""))) == (True, False, False)


def test_docs_list_every_setting():
    """docs/settings.md has exactly the rows of the table, in its order and with its words."""
    rows = re.findall(r"^\| `([a-z]+\.[a-z0-9_]+)` \| (.*) \|$", DOCS.read_text(), flags=re.MULTILINE)

    expected = []
    for row in TABLE.values():
        default, env, flag = (f"`{text}`" if text else "" for text in (row.type.format(row.default), row.env, row.flag))
        expected.append((row.name, f"{row.type.name} | {default} | {env} | {flag} | {row.help}"))
    assert rows == expected


def test_the_files_of_deploy_name_settings_that_exist():
    """The YAML is read as it is; variables of unit, image and compose file are settings' own, with values that fit."""
    deploy = Path(__file__).parents[3] / "deploy"
    assert load(file=deploy / "spanglass.yaml").server.host == "127.0.0.1"
    named = {}
    for name in ("spanglass.service", "Dockerfile", "compose.yaml"):
        named |= dict(re.findall(r"(SPANGLASS_\w+)(?:=|: )(\S+)", (deploy / name).read_text()))
    assert len(named) == 5
    settings = load(environ=named)
    assert (str(settings.data.dir), settings.retention.max_bytes) == ("/data", 50_000_000_000)
