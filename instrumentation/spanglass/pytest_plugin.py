"""The pytest plugin: ``capture_telemetry``, ``@pytest.mark.max_queries``, and ``--spanglass`` for a trace of the tests.

pytest imports this module in every run of whoever has Spanglass installed, so it imports nothing but pytest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from spanglass.testing import Telemetry

_VARIABLE = "SPANGLASS_PYTEST"
_MARKER_NAME = "max_queries"
_MARKER = f"{_MARKER_NAME}(limit): fail the test if its call makes more SQL queries"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; ``--spanglass`` is also the ini option ``spanglass`` and the variable SPANGLASS_PYTEST."""
    group = parser.getgroup("spanglass")
    group.addoption("--spanglass", action="store_true", help="send a trace of this session to the Spanglass server")
    parser.addini("spanglass", "send a trace of each session, as --spanglass does", type="bool", default=False)
    parser.addini(
        "spanglass_instrument",
        "turn on the instrumentations of installed libraries when a test captures telemetry",
        type="bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register what the options ask for."""
    config.addinivalue_line("markers", _MARKER)
    if _wanted(config):
        from spanglass.testing.session import TraceSession  # noqa: PLC0415 - only who asks for it pays

        config.pluginmanager.register(TraceSession(config), "spanglass-session")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Turn instrumentations on before the first fixture runs, if any test looks at telemetry."""
    if session.config.getini("spanglass_instrument") and any(map(_looks, session.items)):
        from spanglass.testing.libraries import instrument_once  # noqa: PLC0415 - only who asks for it pays

        instrument_once()


@pytest.fixture
def capture_telemetry() -> Iterator[Telemetry]:
    """Spans, metrics and log records of this test, in memory: ``.spans``, ``.find(...)``, ``.assert_span(...)``."""
    from spanglass.testing import capture  # noqa: PLC0415 - only who asks for it pays

    with capture() as telemetry:
        yield telemetry


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count the queries of a test that is marked with ``max_queries``."""
    marker = item.get_closest_marker(_MARKER_NAME)
    if marker is None:
        return (yield)
    limit = _limit(marker)
    from spanglass.testing import capture  # noqa: PLC0415 - only who asks for it pays

    with capture() as telemetry:
        result = yield
    try:
        telemetry.assert_max_queries(limit)
    except AssertionError as error:
        pytest.fail(str(error), pytrace=False)  # where in this file it failed is of no use to anybody
    return result


def _wanted(config: pytest.Config) -> bool:
    in_environment = os.environ.get(_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}
    return bool(config.getoption("spanglass") or config.getini("spanglass") or in_environment)


def _looks(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return "capture_telemetry" in fixtures or item.get_closest_marker(_MARKER_NAME) is not None


def _limit(marker: pytest.Mark) -> int:
    if len(marker.args) == 1 and not marker.kwargs and type(marker.args[0]) is int and marker.args[0] >= 0:
        limit: int = marker.args[0]
        return limit
    raise pytest.UsageError("max_queries takes one number of queries, for example @pytest.mark.max_queries(3)")
