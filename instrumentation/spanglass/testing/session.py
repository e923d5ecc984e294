"""A trace of a pytest session: a span for the session, each module, each test, and its setup, call and teardown.

What runs in a test hangs below its span. Workers of pytest-xdist join the controller's trace through the variable
TRACEPARENT, which also puts the whole session into the trace of a build that sets it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from spanglass.sdk.private.rerouting import span_processor_of
from spanglass.start import setup
from spanglass_core import attribute_names as names

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.context import Context

_TRACEPARENT = "TRACEPARENT"
_TEST_NAME = "test.case.name"
_TEST_RESULT = "test.case.result.status"
_SUITE_NAME = "test.suite.name"
_SUITE_STATUS = "test.suite.run.status"
_FILE = "code.file.path"
_LINE = "code.line.number"
_FUNCTION = "code.function.name"

# The conventions' values for what pytest calls an exit code; every other one is an aborted run.
_RUN_STATUS = {pytest.ExitCode.OK: "success", pytest.ExitCode.NO_TESTS_COLLECTED: "skipped"}
_FAILED = "failure"
_PARAMETER_LENGTH = 200


class _Open:
    """A span that is the current one until ``close``."""

    def __init__(
        self, tracer: trace.Tracer, name: str, parent: Context | None = None, attributes: dict[str, Any] | None = None
    ) -> None:
        self.span = tracer.start_span(name, parent, attributes=attributes)
        self.failed = False
        self._token = otel_context.attach(trace.set_span_in_context(self.span, parent))

    def close(self) -> None:
        if self.failed:
            self.span.set_status(Status(StatusCode.ERROR, "failed"))
        otel_context.detach(self._token)
        self.span.end()


class TraceSession:
    """The plugin that ``--spanglass`` registers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker: str = getattr(config, "workerinput", {}).get("workerid", "")
        self._started = setup.running() is None
        self._on = setup.configure(**_options(config)) if self._started else True
        self._tracer = self._make_tracer() if self._on else trace.NoOpTracer()
        self._outer_traceparent = os.environ.get(_TRACEPARENT)
        self._session: _Open | None = None
        self._module: _Open | None = None
        self._module_name = ""
        self._test: _Open | None = None
        self._trace_id = ""

    def _make_tracer(self) -> trace.Tracer:
        """Return a tracer that sends as the application's do, and still does while a test captures those."""
        running = setup.running()
        if running is None:
            return trace.NoOpTracer()
        shared = running.providers.tracer
        processor = span_processor_of(shared)
        if processor is None:
            return shared.get_tracer("spanglass.pytest")
        own = TracerProvider(resource=shared.resource, shutdown_on_exit=False, active_span_processor=processor)
        return own.get_tracer("spanglass.pytest")

    def pytest_sessionstart(self) -> None:
        """Begin the session's span, before xdist starts its workers."""
        parent = TraceContextTextMapPropagator().extract({"traceparent": self._outer_traceparent or ""})
        name = f"pytest {self._worker}".rstrip()
        self._session = _Open(self._tracer, name, parent, {names.TEST_WORKER: self._worker} if self._worker else {})
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        if "traceparent" in carrier:
            os.environ[_TRACEPARENT] = carrier["traceparent"]
        self._trace_id = trace.format_trace_id(self._session.span.get_span_context().trace_id)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Make the span of one test, and of its module around the tests of it that run in a row."""
        self._enter_module(_module(item))
        self._test = _Open(self._tracer, item.name, None, _describe(item))
        try:
            return (yield)
        finally:
            self._test.close()
            self._test = None
            if nextitem is None or _module(nextitem) != self._module_name:
                self._leave_module()

    def _enter_module(self, name: str) -> None:
        if self._module is None:
            self._module_name = name
            self._module = _Open(self._tracer, name, None, {_SUITE_NAME: name, _FILE: name})

    def _leave_module(self) -> None:
        if self._module is not None:
            self._module.span.set_attribute(_SUITE_STATUS, _FAILED if self._module.failed else "success")
            self._module.close()
            self._module = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Make the span of a test's fixtures."""
        return (yield from self._phase("setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Make the span of the test's function."""
        return (yield from self._phase("call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Make the span of what the fixtures do afterwards."""
        return (yield from self._phase("teardown"))

    def _phase(self, name: str) -> Generator[None, object, object]:
        phase = _Open(self._tracer, name)
        try:
            return (yield)
        except pytest.skip.Exception:
            raise
        except BaseException as error:
            phase.span.record_exception(error)
            phase.failed = True
            raise
        finally:
            phase.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the result of a phase into the test's span; a failure stays, whatever follows."""
        del item
        report = yield
        if self._test is not None and not self._test.failed:
            result = _result(report)
            if result == "fail":
                for each in (self._test, self._module, self._session):
                    if each is not None:
                        each.failed = True
            if result is not None:
                self._test.span.set_attribute(_TEST_RESULT, result)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """End the session's span and send what waits."""
        self._leave_module()
        if self._session is not None:
            failed = exitstatus == pytest.ExitCode.TESTS_FAILED
            self._session.failed = failed
            status = _FAILED if failed else _RUN_STATUS.get(pytest.ExitCode(exitstatus), "aborted")
            self._session.span.set_attribute(_SUITE_STATUS, status)
            self._session.close()
            self._session = None
        if self._outer_traceparent is None:
            os.environ.pop(_TRACEPARENT, None)
        else:
            os.environ[_TRACEPARENT] = self._outer_traceparent
        setup.force_flush()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print where the trace is."""
        running = setup.running()
        if self._on and running is not None:
            address = f"{running.settings.endpoint.rstrip('/')}/traces/{self._trace_id}"
            terminalreporter.write_line(f"trace of this session: {address}")

    def pytest_unconfigure(self) -> None:
        """Stop what this plugin has started."""
        if self._started:
            setup.shutdown()


def _options(config: pytest.Config) -> dict[str, Any]:
    stated = {"SPANGLASS_SERVICE_NAME", "OTEL_SERVICE_NAME"} & set(os.environ)
    return {} if stated else {"service_name": f"{config.rootpath.name}-tests"}


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _describe(item: pytest.Item) -> dict[str, Any]:
    path, line, _ = item.location
    described: dict[str, Any] = {
        _TEST_NAME: item.nodeid,
        _SUITE_NAME: item.nodeid.rpartition("::")[0],
        _FILE: path,
        _FUNCTION: getattr(item, "originalname", None) or item.name,
    }
    if line is not None:
        described[_LINE] = line + 1
    callspec = getattr(item, "callspec", None)
    for name, value in (callspec.params if callspec else {}).items():
        described[f"{names.TEST_PARAMETER_PREFIX}{name}"] = repr(value)[:_PARAMETER_LENGTH]
    return described


def _result(report: pytest.TestReport) -> str | None:
    """Return the conventions' ``pass`` or ``fail``, or ``skip`` and ``xfail``; None where a phase decides nothing."""
    if report.failed:
        return "fail"
    if report.skipped:
        return "xfail" if hasattr(report, "wasxfail") else "skip"
    return "pass" if report.when == "call" else None
