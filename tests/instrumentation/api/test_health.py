"""Health checks: registered, run, read, and sent."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest
from opentelemetry._logs import SeverityNumber

from spanglass.api.health.monitor import MAX_CHECKS, HealthMonitor, HealthResult
from spanglass.api.health.report import HealthIssue, understood
from spanglass.api.health.runner import DEFAULT_INTERVAL_NS, FIRST_AFTER_NS, HealthRunner, start_health_runner
from spanglass.api.health.runs import Clocks
from spanglass.api.spans import current_span, span
from spanglass.errors import HealthError

pytestmark = pytest.mark.usefixtures("sent")

SECOND_NS = 1_000_000_000
NOON_NS = 1_763_726_400_000_000_000


class Time:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.now_ns = 0
        self.clocks = Clocks(lambda: self.now_ns, lambda: NOON_NS + self.now_ns)

    def pass_s(self, seconds):
        """Move on."""
        self.now_ns += round(seconds * SECOND_NS)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def monitor(time):
    return HealthMonitor(clocks=time.clocks)


@pytest.fixture
def hanging():
    """A function that hangs until the test ends, and how often it was called."""
    released, calls = threading.Event(), []

    def hang():
        calls.append(1)
        released.wait()

    hang.calls, hang.released = calls, released
    yield hang
    released.set()


def ok():
    """Is well."""


def refuse():
    raise ConnectionError("refused")


async def aok():
    await asyncio.sleep(0)
    return True


async def arefuse():
    raise ConnectionError("refused")


def gives_aok():
    return aok()


def gives_arefuse():
    return arefuse()


@pytest.mark.parametrize("function", [ok, aok, lambda: None, gives_aok])
@pytest.mark.parametrize("way", ["async", "now"])
def test_a_check_that_is_well(monitor, function, way):
    """Functions, coroutine functions, and functions that give a coroutine: healthy, no issues."""
    monitor.register_check("database", function)

    report = asyncio.run(monitor.check_health()) if way == "async" else monitor.check_health_now()

    assert (report.status, report.healthy, report.issues) == ("healthy", True, [])
    assert (monitor.is_healthy(), monitor.issues()) == (True, [])


@pytest.mark.parametrize("function", [refuse, arefuse, gives_arefuse])
@pytest.mark.parametrize("way", ["async", "now"])
def test_an_exception_is_an_issue(monitor, function, way):
    """What a check raises is why it is unhealthy, with its type and text."""
    monitor.register_check("database", function)

    report = asyncio.run(monitor.check_health()) if way == "async" else monitor.check_health_now()

    assert (report.status, report.healthy) == ("unhealthy", False)
    assert report.issues == [HealthIssue("database", "ConnectionError: refused", critical=True)]
    assert str(monitor.issues()[0]) == "database: ConnectionError: refused"
    assert report.checks[0].error_type == "ConnectionError"
    assert not monitor.is_healthy()


def test_a_check_that_is_not_critical_degrades(monitor):
    """A failing check that is not critical makes the application degraded: it is still healthy enough to work."""
    monitor.register_check("database", ok)
    monitor.register_check("cache", refuse, critical=False)

    report = monitor.check_health_now()

    assert (report.status, report.healthy, monitor.is_healthy()) == ("degraded", True, True)
    assert monitor.issues() == [HealthIssue("cache", "ConnectionError: refused", critical=False)]


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        (None, HealthResult()),
        (True, HealthResult()),
        (False, HealthResult("unhealthy", "the check returned False")),
        ("3 replicas", HealthResult("healthy", "3 replicas")),
        ("degraded", HealthResult("degraded")),
        ((False, "disk full"), HealthResult("unhealthy", "disk full")),
        (("degraded", "slow"), HealthResult("degraded", "slow")),
        ({"status": "degraded", "message": "slow", "ms": 80}, HealthResult("degraded", "slow", {"ms": 80})),
        ({"healthy": False, "detail": "gone"}, HealthResult("unhealthy", "gone")),
        ({"replicas": 3}, HealthResult("healthy", "", {"replicas": 3})),
        (HealthResult("degraded", "slow", {"ms": 80}), HealthResult("degraded", "slow", {"ms": 80})),
    ],
)
def test_what_a_check_may_return(returned, result):
    """Each form has one meaning."""
    assert understood(returned) == result


@pytest.mark.parametrize("returned", [3, [True], ("maybe", "x"), {"status": "bad"}, HealthResult("fine"), object()])
def test_what_means_nothing_is_an_issue(returned):
    """Anything else is unhealthy, and says what to return."""
    found = understood(returned)

    assert found.status == "unhealthy"
    assert "which is no result: return nothing or True if all is well, False or" in found.detail


def test_a_report_is_json(time, monitor):
    """as_dict gives what an endpoint answers; odd figures become what JSON has."""

    def disk():
        time.pass_s(2)
        return {"free": 3, "path": object, "detail": "half full"}

    monitor.register_check("disk", disk, critical=False)

    assert monitor.check_health_now().as_dict() == {
        "status": "healthy",
        "duration_s": 2.0,
        "checks": [
            {
                "name": "disk",
                "status": "healthy",
                "critical": False,
                "detail": "half full",
                "data": {"free": 3, "path": "builtins.object"},
                "duration_s": 2.0,
            }
        ],
    }


@pytest.mark.parametrize("way", ["async", "now"])
def test_a_check_that_hangs_fails_alone_and_is_not_started_twice(hanging, way):
    """A hung check is unhealthy at its timeout; the others are well; a second round does not start it again."""
    monitor = HealthMonitor()
    monitor.register_check("hangs", hanging, timeout=0.05)
    monitor.register_check("well", ok)

    def check():
        return asyncio.run(monitor.check_health()) if way == "async" else monitor.check_health_now()

    first, second = check(), check()

    assert [[each.status for each in report.checks] for report in (first, second)] == [["unhealthy", "healthy"]] * 2
    assert "its timeout is 0.05 s, and it is not started twice" in second.issues[0].detail
    assert (first.checks[0].error_type, len(hanging.calls)) == ("TimeoutError", 1)


def test_a_check_that_hung_is_run_again_when_it_has_ended(time, monitor, hanging):
    """Once the hung run is over, the next round starts a new one and tells its result."""
    monitor.register_check("hangs", hanging, timeout=10)
    run = monitor.begin(monitor.checks()[0], None)
    time.pass_s(11)
    assert monitor.check_health_now().status == "unhealthy"

    hanging.released.set()
    run.done.result()

    assert monitor.check_health_now().status == "healthy"
    assert len(hanging.calls) == 2


@pytest.mark.parametrize("way", ["loop", "thread"])
def test_a_coroutine_that_hangs_is_cancelled(way):
    """A coroutine out of time is cancelled where it runs: on the application's loop, or in a thread without one."""
    monitor = HealthMonitor()
    cancelled = threading.Event()

    async def hang():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def ask():
        report = await monitor.check_health()
        await asyncio.sleep(0)
        return report

    monitor.register_check("hangs", hang, timeout=0.05)

    report = asyncio.run(ask()) if way == "loop" else monitor.check_health_now()

    assert (report.status, report.checks[0].error_type) == ("unhealthy", "TimeoutError")
    assert cancelled.wait(60)


def test_coroutines_run_on_the_applications_loop():
    """Awaited, a coroutine check runs on the loop of who awaits; asked from a thread, on the loop that is known."""
    monitor = HealthMonitor()
    loops = []

    async def note():
        loops.append(asyncio.get_running_loop())

    async def main():
        monitor.register_check("a", note)
        await monitor.check_health()
        await asyncio.to_thread(monitor.check_health_now)
        return asyncio.get_running_loop()

    own = asyncio.run(main())

    assert loops == [own, own]
    assert monitor.check_health_now().status == "healthy"  # that loop is closed: now in a thread
    assert len(loops) == 3


def test_asking_from_within_the_loop_does_not_lock_up(monitor):
    """check_health_now inside a coroutine blocks it for as long as the checks take, and no longer."""
    monitor.register_check("a", aok)

    async def main():
        await monitor.check_health()
        return monitor.check_health_now()

    assert asyncio.run(main()).status == "healthy"


def test_two_who_ask_at_once_share_a_run(sent, hanging):
    """While a check runs, a second question waits for the same run."""
    monitor = HealthMonitor()
    monitor.register_check("a", hanging, timeout=60)

    async def main():
        questions = [asyncio.create_task(monitor.check_health()) for _ in range(3)]
        await asyncio.sleep(0)
        hanging.released.set()
        return await asyncio.gather(*questions)

    assert [report.status for report in asyncio.run(main())] == ["healthy"] * 3
    assert len(hanging.calls) == 1
    assert sent.points("spanglass.health.check.duration")[0][1][0] == 1


def test_a_check_belongs_to_the_trace_that_asks(monitor):
    """Asked within a span, a check in a thread has it as its current span; variables of the caller are there."""
    variable = contextvars.ContextVar("variable")
    seen = []
    monitor.register_check("a", lambda: seen.append((current_span().span_id, variable.get())))
    variable.set("mine")

    with span("request") as request:
        monitor.check_health_now()

    assert seen == [(request.span_id, "mine")]


def test_before_the_first_run_nobody_is_healthy(monitor):
    """Without checks all is well; a critical check that was never run is an issue that says what to do."""
    assert (monitor.is_healthy(), monitor.issues()) == (True, [])

    monitor.register_check("database", ok)

    assert not monitor.is_healthy()
    assert str(monitor.issues()[0]) == "database: not checked yet: await check_health(), or call check_health_now()"


def test_decorators_and_replacement(monitor):
    """The decorator gives the function back; the same name replaces, and a check can be taken away."""

    @monitor.register_check("a", critical=False, timeout=1)
    def check():
        return False

    assert check() is False
    assert monitor.check_health_now().status == "degraded"

    monitor.register_check("a", ok)
    assert monitor.issues()[0].detail.startswith("not checked yet")
    assert monitor.check_health_now().status == "healthy"

    monitor.unregister_check("a")
    monitor.unregister_check("never")
    assert monitor.check_health_now().checks == ()


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        (("", ok), {}, "a health check needs a name, and '' is none"),
        ((3, ok), {}, "a health check needs a name, and 3 is none"),
        (("a", 3), {}, "health check 'a': 3 is no function to call"),
        (("a", ok), {"timeout": 0}, "health check 'a': timeout is 0, and must be seconds above 0"),
        (("a", ok), {"timeout": "1s"}, "health check 'a': timeout is '1s', and must be seconds above 0"),
        (("a", ok), {"interval": float("inf")}, "health check 'a': interval is inf, and must be seconds above 0"),
    ],
)
def test_wrong_registrations_are_refused(monitor, arguments, options, problem):
    """The error names the check and what is wrong with it."""
    with pytest.raises(HealthError, match=problem):
        monitor.register_check(*arguments, **options)


def test_checks_are_bounded(monitor):
    """There is a most number of checks; one of them can still be replaced."""
    for i in range(MAX_CHECKS):
        monitor.register_check(f"c{i}", ok)
    monitor.register_check("c0", refuse)

    with pytest.raises(
        HealthError, match="health check 'one more': there are 100 already; check several things in one"
    ):
        monitor.register_check("one more", ok)


def test_results_are_metrics(sent, time, monitor):
    """Status and duration are sent per check, with its name and whether it is critical."""
    monitor.register_check("database", lambda: time.pass_s(0.25))
    monitor.check_health_now()
    monitor.register_check("database", ok)
    monitor.register_check("cache", lambda: "degraded", critical=False)
    monitor.register_check("queue", refuse, critical=False)
    monitor.check_health_now()

    database = {"spanglass.health.check.name": "database", "spanglass.health.check.critical": True}
    cache = {"spanglass.health.check.name": "cache", "spanglass.health.check.critical": False}
    queue = {"spanglass.health.check.name": "queue", "spanglass.health.check.critical": False}
    assert sent.points("spanglass.health.check.status") == [(database, 1.0), (cache, 0.5), (queue, 0.0)]
    assert sent.points("spanglass.health.check.duration") == [(database, (2, 0.25)), (cache, (1, 0)), (queue, (1, 0))]


def test_changes_are_logged(sent, monitor):
    """Each change of a status is one log record; a first healthy result, and the same again, are none."""
    answers = iter([True, True, False, False, "degraded", True])
    monitor.register_check("database", lambda: next(answers))
    for _ in range(6):
        monitor.check_health_now()

    assert [(record.severity_number, record.event_name, record.body) for record in sent.logs] == [
        (
            SeverityNumber.ERROR,
            "spanglass.health.changed",
            "health check database is unhealthy: the check returned False",
        ),
        (SeverityNumber.WARN, "spanglass.health.changed", "health check database is degraded"),
        (SeverityNumber.INFO, "spanglass.health.changed", "health check database is healthy"),
    ]
    assert dict(sent.logs[0].attributes) == {
        "spanglass.health.check.name": "database",
        "spanglass.health.check.critical": True,
        "spanglass.health.status": "unhealthy",
        "spanglass.health.previous_status": "healthy",
        "spanglass.health.detail": "the check returned False",
    }
    assert sent.logs[0].timestamp == NOON_NS


def test_a_first_result_that_is_bad_is_logged(sent, monitor):
    """A check that fails from the beginning is told, with the exception's type and no status before."""
    monitor.register_check("cache", refuse, critical=False)
    monitor.check_health_now()

    assert sent.log.severity_number == SeverityNumber.WARN
    assert dict(sent.log.attributes) == {
        "spanglass.health.check.name": "cache",
        "spanglass.health.check.critical": False,
        "spanglass.health.status": "unhealthy",
        "spanglass.health.detail": "ConnectionError: refused",
        "error.type": "ConnectionError",
    }


# -- the runner


def settle(monitor):
    """Wait for the runs that have begun."""
    for run in list(monitor._runs.values()):
        run.done.result()


def test_the_runner_starts_what_is_due(time, monitor):
    """The first run comes after ten seconds, then each at its own interval, and nothing in between."""
    calls = []
    monitor.register_check("often", lambda: calls.append("often"), interval=20)
    monitor.register_check("default", lambda: calls.append("default"))
    runner = HealthRunner(monitor, DEFAULT_INTERVAL_NS)

    assert runner.step() == FIRST_AFTER_NS / SECOND_NS
    rounds = {}
    for seconds in (9, 10, 29, 30, 39, 40, 50, 69, 70):
        time.now_ns = seconds * SECOND_NS
        calls.clear()
        runner.step()
        settle(monitor)
        runner.step()
        rounds[seconds] = sorted(calls)

    assert rounds == {
        9: [],
        10: ["default", "often"],
        29: [],
        30: ["often"],
        39: [],
        40: ["default"],
        50: ["often"],
        69: [],
        70: ["default", "often"],
    }
    assert monitor.is_healthy()


def test_the_runner_does_not_wait_for_what_hangs(time, monitor, hanging):
    """A hung check is told at its timeout and started once; the others go on meanwhile."""
    calls = []
    monitor.register_check("hangs", hanging, timeout=25, interval=20)
    monitor.register_check("well", lambda: calls.append(1), interval=20)
    runner = HealthRunner(monitor, DEFAULT_INTERVAL_NS)
    runner.step()
    seen = []
    for seconds in (10, 30, 35, 55):
        time.now_ns = seconds * SECOND_NS
        runner.step()
        settle_one(monitor, "well")
        runner.step()
        seen.append((len(calls), [issue.detail for issue in monitor.issues()]))

    over = "no answer after {} s; its timeout is 25 s, and it is not started twice"
    not_yet = "not checked yet: await check_health(), or call check_health_now()"
    assert seen == [(1, [not_yet]), (2, [not_yet]), (2, [over.format(25)]), (3, [over.format(45)])]
    assert len(hanging.calls) == 1


def settle_one(monitor, name):
    """Wait for the run of one check."""
    monitor._runs[name].done.result()


def test_the_runner_forgets_what_was_taken_away(monitor):
    """Without checks there is nothing to wait for."""
    monitor.register_check("a", ok)
    runner = HealthRunner(monitor, DEFAULT_INTERVAL_NS)
    runner.step()
    monitor.unregister_check("a")

    assert runner.step() is None


def test_the_runner_leaves_no_spans(time, monitor):
    """What the runner does belongs to no trace, and instrumentations are told to be quiet."""
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled  # noqa: PLC0415 - for this test

    seen = []

    async def acheck():
        seen.append((current_span().trace_id, is_instrumentation_enabled()))

    monitor.register_check("thread", lambda: seen.append((current_span().trace_id, is_instrumentation_enabled())))
    monitor.register_check("loop", acheck)
    runner = HealthRunner(monitor, DEFAULT_INTERVAL_NS)
    with span("request"):
        runner.step()
        time.pass_s(10)
        runner.step()
        settle(monitor)

    assert seen == [("", False)] * 2


def test_the_thread_runs_checks_by_itself():
    """Started, the runner's thread runs what is registered later, and none after it is stopped."""
    monitor = HealthMonitor()
    ran = threading.Event()
    stop = start_health_runner(10_000_000, monitor=monitor)
    before = {thread.name for thread in threading.enumerate()}
    monitor.register_check("a", ran.set)

    assert "spanglass-health" not in before
    assert ran.wait(60)
    stop()
    for thread in threading.enumerate():
        if thread.name == "spanglass-health":
            thread.join()
    monitor.register_check("b", refuse)
    assert "spanglass-health" not in {thread.name for thread in threading.enumerate()}
