"""Turning instrumentations on: when, in isolation, by which conventions, and off again."""

from __future__ import annotations

import pytest

GOOD = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()
    def _instrument(self, **kwargs):
        print("on", sorted(kwargs))
    def _uninstrument(self, **kwargs):
        print("off")
"""


def test_nothing_is_imported_before_the_application_does(script):
    """Installing imports no library that has an instrumentation; importing one turns its instrumentation on."""
    result = script("""
        libraries = "celery click django fastapi flask httpx psycopg redis requests sqlalchemy sqlite3 starlette"
        libraries = libraries.split()
        before = set(sys.modules)
        install()
        loaded = [name for name in libraries if name in set(sys.modules) - before]
        ready = [name for name in libraries if states()[name].state == "ready"]
        import redis
        give([loaded, len(ready), states()["redis"].state, states()["celery"].state])
    """)

    assert result == [[], 12, "active", "ready"]


def test_every_library_of_the_matrix(script):
    """Each library that is imported after the installation is instrumented, with its version at hand."""
    result = script("""
        install()
        import asyncio, celery, click, fastapi, flask, httpx, jinja2, psycopg, redis, requests, sqlalchemy, sqlite3
        import starlette.applications, threading, urllib.request, urllib3
        names = ("asyncio celery click fastapi flask httpx jinja2 psycopg redis requests sqlalchemy sqlite3 starlette "
                 "threading urllib urllib3").split()
        give([[name for name in names if states()[name].state != "active"],
              [name for name in names if not states()[name].library_version]])
    """)

    assert result == [[], ["asyncio", "sqlite3", "threading", "urllib"]]


def test_libraries_imported_before(script):
    """What is patched in place is instrumented too when its library was imported before."""
    result = script("""
        import celery, httpx, redis, requests, urllib.request
        install()
        give([states()[name].state for name in ("celery", "httpx", "redis", "requests", "urllib")])
    """)

    assert result == ["active"] * 5


def test_broken_ones_are_left_out_and_the_others_go_on(script, distribution):
    """A module that can't be imported and an exception while turning on are recorded and logged in one line each."""
    distribution("telemetry-bad-import", entry="badimport", code="raise RuntimeError('no\\nluck')")
    distribution("telemetry-bad-exit", entry="badexit", code="raise SystemExit(3)")
    distribution("telemetry-bad-on", entry="badon", code=GOOD.replace('print("on", sorted(kwargs))', "1 / 0"))
    distribution("telemetry-good", entry="zgood", code=GOOD)

    result = script("""
        undo = install()
        found = [(each.name, each.state, each.reason) for each in states().values() if each.package.startswith("telem")]
        import requests
        give([found, states()["requests"].state])
    """)

    assert result == [
        [
            ["badexit", "broken", "SystemExit: 3"],
            ["badimport", "broken", "RuntimeError: no luck"],
            ["badon", "failed", "ZeroDivisionError: division by zero"],
            ["zgood", "active", ""],
        ],
        "active",
    ]
    assert script.stderr.splitlines() == [
        f"instrumentation {name}: {said}; pip install --upgrade telemetry-{package}, or leave it off: "
        f"SPANGLASS_DISABLED_INSTRUMENTATIONS={name}"
        for name, package, said in (
            ("badexit", "bad-exit", "broken: SystemExit: 3"),
            ("badimport", "bad-import", "broken: RuntimeError: no luck"),
            ("badon", "bad-on", "failed: ZeroDivisionError: division by zero"),
        )
    ]


def test_a_library_that_breaks_while_hooked_is_imported_all_the_same(script, distribution):
    """An instrumentation that fails inside the import of its library does not fail the import."""
    distribution("fake-lib", code="value = 42")
    distribution("telemetry-fake", entry="fake", code="raise RuntimeError('no')")

    result = script("""
        from spanglass.instrumentors import table
        table.TRIGGERS["fake"] = "fake_lib"
        install()
        import fake_lib
        give([fake_lib.value, states()["fake"].state])
    """)

    assert result == [42, "broken"]


def test_version_conflict(script, distribution):
    """A library of another version is left alone, and the log has one line with the command that mends it."""
    distribution("fake-lib", version="2.5", code="")
    distribution("telemetry-fake", entry="fake", code=GOOD, requires=["fake-lib<2,>=1; extra == 'instruments'"])

    result = script("""
        install()
        import fake_lib
        each = states()["fake"]
        give([each.state, each.library, each.library_version, each.wanted, each.package, each.package_version])
    """)

    assert result == ["version-conflict", "fake-lib", "2.5", "<2,>=1", "telemetry-fake", "1.0"]
    assert script.stderr == (
        "instrumentation fake: version-conflict: fake-lib 2.5 is installed, and it takes <2,>=1; "
        "pip install 'fake-lib<2,>=1'\n"
    )


def test_missing_library_is_quiet(script, distribution):
    """A library that is not installed is recorded, and nothing is logged."""
    distribution("telemetry-fake", entry="fake", code=GOOD, requires=["no-such-lib>=1; extra == 'instruments'"])

    result = script("""
        install()
        give([states()["fake"].state, states()["fake"].reason])
    """)

    assert result == ["library-missing", "no-such-lib is not installed"]
    assert script.stderr == ""


def test_disabled_and_replaced(script):
    """A disabled one and one that Spanglass replaces stay off, each with its reason."""
    result = script("""
        install(disabled_instrumentations=["redis"])
        import redis, logging
        give([(states()[name].state, states()[name].reason) for name in ("redis", "logging", "system_metrics")])
    """)

    assert result == [
        ["disabled", "the setting disabled_instrumentations names it"],
        ["replaced", "Spanglass exports the records of the standard library's logging"],
        ["replaced", "Spanglass measures process, host and interpreter"],
    ]


@pytest.mark.parametrize("option", ['disabled_instrumentations=["*"]', "instrument=False"])
def test_all_off(script, option):
    """A star, or the setting instrument, leaves every one off."""
    result = script(f"""
        install({option})
        give(sorted({{each.state for each in states().values()}}))
    """)

    assert result == ["disabled"]


@pytest.mark.parametrize(
    ("semconv", "given", "expected"),
    [
        ("new", None, "http,database"),
        ("dup", None, "http/dup,database/dup"),
        ("old", None, None),
        ("new", "http/dup", "http/dup"),
    ],
)
def test_conventions(script, semconv, given, expected):
    """The setting decides, unless the user has set OpenTelemetry's variable; it is taken back at the end."""
    result = script(
        f"""
        undo = install(semconv="{semconv}")
        during = os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN")
        undo()
        give([during, os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN")])
        """,
        env={"OTEL_SEMCONV_STABILITY_OPT_IN": given} if given else None,
    )

    assert result == [expected, given]


def test_new_conventions_arrive_in_spans(script):
    """A call of a database has the attributes of the current conventions and not those before."""
    (result,) = script("""
        install()
        import sqlite3
        sqlite3.connect(":memory:").cursor().execute("select 1")
        give(attributes())
    """)

    assert (result["db.system.name"], result["db.query.text"], "db.statement" in result) == (
        "sqlite",
        "select 1",
        False,
    )


def test_taking_back(script):
    """After taking back, libraries make no spans, imports turn nothing on, and nothing is known any more."""
    result = script("""
        undo = install()
        import sqlite3
        undo()
        sqlite3.connect(":memory:").cursor().execute("select 1")
        import redis
        give([taken(), states(), type(redis.Redis.execute_command).__name__])
    """)

    assert result == [[], {}, "function"]


def test_again_after_taking_back(script):
    """Installing anew instruments what is imported already and what is imported later, once each."""
    result = script("""
        install()()
        import sqlite3
        install()()
        install()
        sqlite3.connect(":memory:").cursor().execute("select 1")
        import redis
        give([taken(), states()["redis"].state])
    """)

    assert result == [[["sqlite3", "select", "client"]], "active"]


def test_one_that_the_application_turned_on_itself(script):
    """What the application instruments itself stays its own: no second span, no warning, not turned off by us."""
    result = script("""
        from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
        SQLite3Instrumentor().instrument()
        import sqlite3
        undo = install()
        sqlite3.connect(":memory:").cursor().execute("select 1")
        undo()
        sqlite3.connect(":memory:").cursor().execute("select 2")
        give(taken())
    """)

    assert (result, script.stderr) == ([["sqlite3", "select", "client"]] * 2, "")


def test_one_that_the_application_imports_itself(script):
    """The instrumentation's own import brings the library: it is turned on when that import has ended."""
    result = script("""
        install()
        from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
        import time
        while states()["sqlite3"].state == "ready":
            time.sleep(0.01)
        give(states()["sqlite3"].state)
    """)

    assert result == "active"


def test_load_one_for_opentelemetrys_loader(script):
    """One entry point is turned on in the same way, with the same options and states."""
    result = script("""
        from importlib.metadata import entry_points
        from spanglass.instrumentors.install import load_one
        from spanglass.settings.settings import load
        (entry,) = entry_points(group="opentelemetry_instrumentor", name="sqlite3")
        load_one(entry, load({}, {}), tracer_provider=_provider, meter_provider=MeterProvider(),
                 logger_provider=LoggerProvider())
        import sqlite3
        sqlite3.connect(":memory:").execute("select 1")
        give([taken(), [(name, each.state) for name, each in states().items()]])
    """)

    assert result == [[["sqlite3", "select", "client"]], [["sqlite3", "active"]]]


def test_names_imported_before_are_reported(script, distribution):
    """A module that took ``connect`` by name before is named, with what to do; the rest is instrumented."""
    distribution("shop", code="from sqlite3 import connect")

    result = script("""
        import shop
        install()
        import sqlite3
        shop.connect(":memory:").execute("select 1")
        sqlite3.connect(":memory:").execute("select 2")
        each = states()["sqlite3"]
        give([taken(), each.state, each.reason, each.remedy])
    """)

    assert result == [
        [["sqlite3", "select", "client"]],
        "late",
        "sqlite3.connect was imported before by shop",
        "call spanglass.configure() before these imports, or start the application with `spanglass run`",
    ]
    assert script.stderr.startswith("instrumentation sqlite3: late: sqlite3.connect was imported before by shop; call")


def test_metrics_of_instrumentations(script, distribution):
    """Metrics count instrumentations by state, and name those in trouble with the reason."""
    distribution("telemetry-bad", entry="bad", code="raise RuntimeError('no')")

    result = script("""
        install(disabled_instrumentations=["redis"])
        found = {}
        for metric in _reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
            found[metric.name] = [[dict(point.attributes), point.value] for point in metric.data.data_points]
        counts = {each["spanglass.instrumentation.state"]: n for each, n in found["spanglass.instrumentation.count"]}
        give([counts["broken"], counts["disabled"], found["spanglass.instrumentation.problem"]])
    """)

    assert result == [
        1,
        1,
        [
            [
                {
                    "spanglass.instrumentation.name": "bad",
                    "spanglass.instrumentation.state": "broken",
                    "spanglass.instrumentation.reason": "RuntimeError: no",
                },
                1,
            ]
        ],
    ]
