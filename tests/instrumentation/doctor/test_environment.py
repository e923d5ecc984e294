"""What doctor says of the environment: versions, settings, instrumentations, the command to be run; how it prints."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

OFFLINE = "--offline"
HUNTER = "hunter2"  # a secret


def statuses(report):
    return {each["name"]: each for each in report["instrumentations"]}


def test_shape_of_the_json(doctor):
    """The JSON has its documented keys, and every finding those of a finding."""
    report = doctor(OFFLINE, libraries=True)

    assert list(report) == [
        "worst", "versions", "settings", "instrumentations", "server", "clock_difference_s", "processes", "running",
        "findings", "exit",
    ]  # fmt: skip
    assert {tuple(each) for each in report["findings"]} == {("area", "severity", "text", "remedy")}
    assert report["versions"]["opentelemetry-sdk"] == version("opentelemetry-sdk")


def test_installed_instrumentations_are_ready(doctor):
    """Every library of the development environment is ready, with its version, and none is said to be broken.

    Nor by a propagator whose package is missing, without which OpenTelemetry's API can't be imported: that is said.
    """
    report = doctor(OFFLINE, libraries=True, OTEL_PROPAGATORS="b3")
    found = statuses(report)

    assert [
        "warning",
        "OTEL_PROPAGATORS=b3: its package is not installed, it is left out",
        "pip install opentelemetry-propagator-b3",
    ] in report.of("settings")

    names = ["celery", "django", "fastapi", "flask", "httpx", "psycopg", "redis", "requests", "sqlalchemy", "starlette"]
    assert [(name, found[name]["state"], found[name]["library_version"]) for name in names] == [
        (name, "ready", version(name)) for name in names
    ]
    assert [name for name, each in found.items() if each["state"] == "broken"] == []
    assert (found["logging"]["state"], found["asyncpg"]["state"]) == ("replaced", "ready")


def test_broken_instrumentations(doctor, distribution):
    """An instrumentation that raises, one that ends the process and one that hangs up are named; others are fine."""
    distribution("telemetry-raises", entry="araises", code="raise RuntimeError('no luck')")
    distribution("telemetry-ends", entry="bends", code="import os; os._exit(7)")
    distribution("telemetry-prints", entry="cprints", code="print('spanglass-loading nonsense'); Instrumentor = None")

    report = doctor(OFFLINE, libraries=True)

    found = statuses(report)
    assert [(found[name]["state"], found[name]["reason"]) for name in ("araises", "bends", "cprints", "redis")] == [
        ("broken", "RuntimeError: no luck"),
        ("broken", "importing it ends the process (exit code 7)"),
        ("ready", ""),
        ("ready", ""),
    ]
    assert [
        "problem",
        "araises: can't be imported: RuntimeError: no luck",
        "pip install --upgrade telemetry-raises, or leave it off: SPANGLASS_DISABLED_INSTRUMENTATIONS=araises",
    ] in report.of("instrumentations")
    assert report["exit"] == 1


def test_version_conflict(doctor, distribution):
    """A library outside of an instrumentation's range is a warning with both versions and the command."""
    distribution("fake-lib", version="2.5")
    distribution("telemetry-fake", entry="fake", code="", requires=["fake-lib<2,>=1; extra == 'instruments'"])

    report = doctor(OFFLINE, libraries=True)

    assert [
        "warning",
        "fake: fake-lib 2.5 is installed, and it takes <2,>=1",
        "pip install 'fake-lib<2,>=1'",
    ] in report.of("instrumentations")
    assert report["exit"] == 0


def test_missing_instrumentation(doctor, distribution):
    """A library whose instrumentation is not installed is a warning, and bootstrap is the remedy."""
    distribution("pymemcache", version="4.0.0")

    report = doctor(OFFLINE, libraries=True)

    pymemcache = statuses(report)["pymemcache"]
    assert (pymemcache["state"], pymemcache["library_version"]) == ("not-installed", "4.0.0")
    assert pymemcache["reason"] == "opentelemetry-instrumentation-pymemcache is not installed"
    (remedy,) = [remedy for _, text, remedy in report.of("instrumentations") if "without their" in text]
    assert remedy == "spanglass bootstrap"


def test_disabled(doctor):
    """A disabled instrumentation is a note that names the variable."""
    report = doctor(OFFLINE, libraries=True, SPANGLASS_DISABLED_INSTRUMENTATIONS="redis")

    assert [
        "note",
        "1 disabled by settings: redis",
        "take redis out of SPANGLASS_DISABLED_INSTRUMENTATIONS",
    ] in report.of("instrumentations")


def test_versions_that_do_not_fit(doctor, distribution):
    """A distribution of OpenTelemetry whose pin is not met is a problem with the command that mends it."""
    distribution("opentelemetry-fake", requires=["opentelemetry-api==0.1", "no-such-thing>=3"])

    report = doctor(OFFLINE)

    have = version("opentelemetry-api")
    assert report.of("versions") == [
        [
            "problem",
            f"opentelemetry-fake 1.0 needs opentelemetry-api==0.1, and {have} is installed",
            "pip install --upgrade opentelemetry-fake 'opentelemetry-api==0.1'",
        ],
        [
            "problem",
            "opentelemetry-fake 1.0 needs no-such-thing>=3, which is not installed",
            "pip install --upgrade opentelemetry-fake 'no-such-thing>=3'",
        ],
    ]


def test_a_package_that_many_pin_is_named_once(doctor, distribution):
    """One upgrade that several packages do not allow is one problem, with one command for all of it."""
    for name in ("opentelemetry-fake", "opentelemetry-other"):
        distribution(name, requires=["opentelemetry-semantic-conventions==0.1"])

    ((severity, text, remedy),) = doctor(OFFLINE).of("versions")

    have = version("opentelemetry-semantic-conventions")
    assert severity == "problem"
    assert text == (
        f"2 packages need opentelemetry-semantic-conventions==0.1, and {have} is installed: "
        "opentelemetry-fake, opentelemetry-other"
    )
    assert remedy.startswith("pip install opentelemetry-api opentelemetry-sdk ")
    assert remedy.endswith(" 'opentelemetry-semantic-conventions==0.1'")


def test_settings_and_where_they_came_from(doctor):
    """Each setting has its value and source; secrets and values of headers are not shown."""
    report = doctor(
        OFFLINE, SPANGLASS_TOKEN=HUNTER, OTEL_EXPORTER_OTLP_HEADERS=f"x-key={HUNTER}", OTEL_SERVICE_NAME="shop"
    )

    found = {each["name"]: (each["value"], each["source"]) for each in report["settings"]}
    assert found["token"] == ("***", "environment variable SPANGLASS_TOKEN")
    assert found["headers"] == ("x-key=***", "environment variable OTEL_EXPORTER_OTLP_HEADERS")
    assert found["service_name"] == ("shop", "environment variable OTEL_SERVICE_NAME")
    assert found["compression"] == ("gzip", "default")
    assert HUNTER not in str(report)


def test_every_wrong_setting_is_named(doctor):
    """Several mistakes are all found, each with its variable; a misspelt variable is told what was meant."""
    report = doctor(OFFLINE, SPANGLASS_SCRUB="perhaps", SPANGLASS_METRIC_INTERVAL="15", SPANGLASS_SERVICENAME="shop")

    problems = [text for severity, text, _remedy in report.of("settings") if severity == "problem"]
    warnings = [text for severity, text, _remedy in report.of("settings") if severity == "warning"]
    assert [text.split(": ")[:2] for text in problems] == [
        ["environment variable SPANGLASS_METRIC_INTERVAL", "metric_interval"],
        ["environment variable SPANGLASS_SCRUB", "scrub"],
    ]
    assert len(warnings) == 1
    assert warnings[0].startswith("unknown variable SPANGLASS_SERVICENAME")
    assert report["exit"] == 1


def test_switched_off(doctor):
    """Telemetry that is switched off is a warning with the variable to unset, and the server is not asked."""
    report = doctor(SPANGLASS_ENABLED="false")

    assert ["warning", "telemetry is switched off by SPANGLASS_ENABLED", "unset SPANGLASS_ENABLED"] in report.of(
        "settings"
    )
    assert report["server"] == []


def program(folder: Path, name: str, interpreter: str) -> None:
    path = folder / name
    path.write_text(f"#!{interpreter}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("words", "severity", "text"),
    [
        (["gunicorn", "--preload", "shop:app"], "ok", "gunicorn --preload loads the application once and forks"),
        (["gunicorn", "-k", "gevent", "shop:app"], "note", "workers of gevent patch the standard library"),
        (["uwsgi", "--enable-threads"], "warning", "uwsgi forks below Python: telemetry begins anew in each worker"),
        (["uwsgi", "--threads=2", "--py-call-uwsgi-fork-hooks"], "ok", "each worker of uwsgi sends for itself"),
        (["celery", "worker", "--pool=gevent"], "note", "a pool of gevent patches the standard library"),
        (["spanglass", "run", "app.py"], "note", "spanglass is not the program"),
    ],
)
def test_commands(doctor, tmp_path, words, severity, text):
    """What a command does to telemetry in its workers is said."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    program(bin_, words[0], sys.executable)

    report = doctor(OFFLINE, "--", *words, PATH=str(bin_))

    assert [(found, said.startswith(text)) for found, said, _ in report.of("processes")][1:] == [(severity, True)]


def test_options_of_uwsgi_in_its_ini_file(doctor, tmp_path):
    """What an ini file sets counts as on the command line; what it comments out or switches off does not."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    program(bin_, "uwsgi", sys.executable)
    ini = tmp_path / "uwsgi.ini"
    ini.write_text("[uwsgi]\nmaster = true\n;enable-threads = true\nlazy-apps = false\n")

    found = doctor(OFFLINE, "--", "uwsgi", str(ini), PATH=str(bin_)).of("processes")[1:]
    ini.write_text("[uwsgi]\nenable-threads=true\nlazy-apps = true\n")
    mended = doctor(OFFLINE, "--", "uwsgi", f"--ini={ini}", PATH=str(bin_)).of("processes")[1:]

    assert [(severity, remedy) for severity, _text, remedy in found] == [
        ("problem", "uwsgi --enable-threads ..."),
        ("warning", "uwsgi --py-call-uwsgi-fork-hooks ..., or --lazy-apps"),
    ]
    assert mended == [["ok", "each worker of uwsgi sends for itself", ""]]


def test_options_of_the_interpreter_by_which_telemetry_stays_off(doctor):
    """-I is a warning that says what to do; the same letters among the words of a script are none."""
    report = doctor(OFFLINE, "--", sys.executable, "-I", "app.py")
    of_a_script = doctor(OFFLINE, "--", "app.py", "-I")

    name = sys.executable.rpartition("/")[2]
    assert report.of("processes")[-1] == [
        "warning",
        f"{name} runs Python with -I, which ignores what starts telemetry: nothing of it is sent",
        "leave -I out, or call spanglass.configure() in the program",
    ]
    assert [severity for severity, _text, _remedy in of_a_script.of("processes")] == ["ok"]


def test_a_program_of_another_environment(doctor, tmp_path):
    """A program whose interpreter is elsewhere is a problem: what is checked here is not what will run."""
    program(tmp_path, "gunicorn", "/opt/other/bin/python3")

    report = doctor(OFFLINE, "--", "gunicorn", "shop:app", PATH=str(tmp_path))

    assert report.of("processes")[-1] == [
        "problem",
        f"{tmp_path}/gunicorn runs with /opt/other/bin/python3, another environment than this one ({sys.prefix})",
        "/opt/other/bin/python3 -m pip install spanglass, and run its doctor",
    ]


def test_a_program_that_is_not_there(doctor):
    """A program that can't be found is a problem."""
    ((_ok, *_), (severity, text, _remedy)) = doctor(OFFLINE, "--", "no-such-program").of("processes")

    assert (severity, text) == ("problem", "there is no program 'no-such-program' on PATH or in this environment")


def test_text(run):
    """The text has a heading for each area, no colours in a pipe, needs no rich, and ends with a summary."""
    result = run("doctor", OFFLINE, prelude="sys.modules['rich'] = None", SPANGLASS_SERVICE_NAME="shop")

    headings = [line for line in result.stdout.splitlines() if line and not line.startswith(" ")]
    assert headings[:-1] == ["versions", "settings", "instrumentations", "processes"]
    assert headings[-1].endswith((".", "order."))
    assert "\033" not in result.stdout
    assert "    service_name  shop  (environment variable SPANGLASS_SERVICE_NAME)" in result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")


def test_wrong_option(run):
    """An unknown option is exit code 2."""
    assert run("doctor", "--jsn").returncode == 2


def test_libraries_that_share_an_instrumentation(doctor, distribution):
    """Each is told by its own name: httpx2 beside httpx; tortoise needs no pydantic, though its extra names it."""
    distribution("tortoise-orm", version="0.25.0")
    needs = ["pydantic>=900; extra == 'instruments'", "tortoise-orm>=0.17; extra == 'instruments'"]
    distribution("tortoise", code="")
    name = "opentelemetry-instrumentation-tortoiseorm"
    distribution(name, entry="tortoiseorm", code="class Instrumentor: pass", requires=needs)

    found = statuses(doctor(OFFLINE, libraries=True))

    assert (found["httpx"]["state"], found["httpx2"]["state"]) == ("ready", "library-missing")
    assert (found["httpx2"]["reason"], found["httpx2"]["library_version"]) == ("httpx2 is not installed", "")
    assert (found["tortoiseorm"]["state"], found["tortoiseorm"]["library"]) == ("ready", "tortoise-orm")
