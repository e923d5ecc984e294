"""What a type checker sees of the manual API. Never run: test_types.py has mypy read it."""

# ruff: noqa: ARG001, ARG005, D101, D102 - signatures are all that matters here

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, assert_type, overload

from spanglass import (
    HealthMonitor,
    HealthReport,
    MetricsCollector,
    PerformanceMonitor,
    SpanHandle,
    check_health,
    counter,
    current_span,
    event,
    gauge,
    histogram,
    info,
    is_healthy,
    register_check,
    span,
    start_span,
    trace,
    track_operation,
    up_down_counter,
)
from spanglass.api.collector import MetricSnapshot
from spanglass.api.health.monitor import HealthIssue
from spanglass.api.metrics import Counter, Gauge, Histogram, UpDownCounter
from spanglass.api.operations import Operation, OperationStatistics


@trace
def bare(amount: float, *, currency: str = "EUR") -> str:
    return f"{amount} {currency}"


@trace("name", capture_args=("amount",), capture_result=True, kind="client")
def named(amount: float) -> int:
    return int(amount)


@trace()
async def asynchronous(amount: float) -> bytes:
    return b""


@trace
def generator(n: int) -> Generator[int, str, bool]:
    yield n
    return True


@trace(capture_args=True)
async def asynchronous_generator(n: int) -> AsyncGenerator[int, None]:
    yield n


@overload
def overloaded(value: int) -> int: ...
@overload
def overloaded(value: str) -> str: ...
@trace
def overloaded(value: int | str) -> int | str:
    return value


class Shop:
    @trace
    def method(self, a: int) -> str:
        return str(a)

    @classmethod
    @trace
    def below(cls, a: int) -> str:
        return str(a)

    @trace
    @classmethod
    def above(cls, a: int) -> str:
        return str(a)

    @trace("s", capture_args=True)
    @staticmethod
    def static(a: int) -> str:
        return str(a)

    @property
    @trace
    def prop(self) -> int:
        return 1


async def signatures_stay() -> None:
    assert_type(bare(1.0, currency="USD"), str)
    bare("1")  # type: ignore[arg-type]
    bare(1.0, "USD")  # type: ignore[call-arg]
    assert_type(named(1.0), int)
    named()  # type: ignore[call-arg]
    assert_type(await asynchronous(1.0), bytes)
    assert_type(generator(1), Generator[int, str, bool])
    assert_type(asynchronous_generator(1), AsyncGenerator[int, None])
    assert_type(overloaded(1), int)
    assert_type(overloaded("a"), str)
    assert_type(Shop().method(1), str)
    assert_type(Shop.below(1), str)
    assert_type(Shop.above(1), str)
    assert_type(Shop.static(1), str)
    assert_type(Shop().prop, int)
    trace(3)  # type: ignore[call-overload]
    trace(bare, kind="client")  # type: ignore[call-overload]
    trace("name", kind="customer")  # type: ignore[call-overload]


def spans() -> None:
    with span("s", kind="server", links=["00-a-b-01", current_span()], amount=3, when=object()) as handle:
        assert_type(handle, SpanHandle)
        handle.set("a.b", [1])
        handle.set({"a.b": 1}, c=2)
        handle.set("a.b")  # type: ignore[call-overload]
        handle.set(1, 2)  # type: ignore[call-overload]
    assert_type(start_span("s", parent=handle), SpanHandle)
    span("s", kind="customer")  # type: ignore[arg-type]


def messages() -> None:
    info("{x}", x=object(), exc_info=ValueError(), attributes={"a.b": 1})
    info("x", exc_info="yes")  # type: ignore[arg-type]
    event("signup", user_id="u", plan="pro")


def metrics() -> None:
    assert_type(counter("a", unit="s"), Counter)
    assert_type(up_down_counter("b"), UpDownCounter)
    assert_type(gauge("c"), Gauge)
    assert_type(histogram("d", buckets=(1, 2)), Histogram)
    counter("a").set(1)  # type: ignore[attr-defined]
    assert_type(MetricsCollector().get_metrics(), dict[str, MetricSnapshot])


def operations() -> None:
    with track_operation("query", rows=1) as operation:
        assert_type(operation, Operation)
    assert_type(PerformanceMonitor().get_statistics(), OperationStatistics)
    assert_type(PerformanceMonitor().get_statistics().avg_response_time, float)


@register_check("a", timeout=1)
def check() -> bool:
    return True


@register_check("b")
async def acheck() -> None:
    """Is well."""


async def health() -> None:
    assert_type(check, Callable[[], bool])
    assert_type(check(), bool)
    assert_type(acheck, Callable[[], Coroutine[Any, Any, None]])
    assert_type(HealthMonitor().register_check("c", check, critical=False)(), bool)
    assert_type(await check_health(), HealthReport)
    assert_type(is_healthy(), bool)
    assert_type(HealthMonitor().issues(), list[HealthIssue])
    register_check("d", lambda needed: True)  # type: ignore[type-var]
