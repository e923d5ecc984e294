"""In which steps the server received anything: of others nothing is known, which is not the same as zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.anomalies.detecting.usual import STEPS
from spanglass_server.anomalies.model import STEP_MS
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.store.ports import QuerySession

#: Metrics that this server writes itself, whether or not anything comes in: those of a kind begin alike.
OWN_METRICS: Final = ("performance_findings", "anomaly_", "ALERTS", "slo_", "spanglass.health", "spanglass_health")
#: And those of its scrapes, which say that a target is gone.
_OF_SCRAPES: Final = ("up", "scrape_")
_STEP_NS: Final = STEP_MS * NS_PER_MS
_SIGNALS: Final = (Signal.SPANS, Signal.LOGS, Signal.METRICS)
#: Where at least this share of the steps has records, one without is an outage, and the one after it is cut by that.
_STEADY: Final = 0.5


def received_steps(session: QuerySession, first_step: int, number: int) -> NDArray[np.bool_]:
    """For each of some steps whether a span, a log record or a point of a metric of somebody else lies in it."""
    window = Window((first_step - 1) * _STEP_NS, (first_step - 1 + number) * _STEP_NS)
    received = np.zeros(number, np.bool_)
    for signal in _SIGNALS:
        time = TIME_COLUMN[signal]
        is_metrics = signal is Signal.METRICS
        found = rows(
            session,
            statement(
                "explorer/steps",
                time=Sql(time),
                start_ns=window.start_ns,
                step_ns=_STEP_NS,
                relation=Sql(session.relation(signal, window, [time, *(["metric_name"] if is_metrics else [])])),
                where=_of_others() if is_metrics else Sql("true"),
            ),
        )
        received[[row["step"] for row in found if 0 <= row["step"] < number]] = True
        if received.all():
            break
    return received


def _of_others() -> Sql:
    return all_of(
        [Sql("metric_name <> ?", ("up",))]
        + [Sql("NOT starts_with(metric_name, ?)", (name,)) for name in (*OWN_METRICS, *_OF_SCRAPES[1:])]
    )


class Arrivals:
    """Which steps have records, asked once for all sources; of hours that are over anew, as some records come late.

    ``ask`` is ``received_steps``. Used by one thread.
    """

    def __init__(self, ask: Callable[[QuerySession, int, int], NDArray[np.bool_]]) -> None:
        self._ask = ask
        self._hours: dict[int, NDArray[np.bool_]] = {}
        self._steps: dict[int, bool] = {}

    def hours(self, session: QuerySession, first: int, number: int) -> NDArray[np.bool_]:
        """For each step of whole hours that are over whether it says something."""
        self._read_hours(session, first, number)
        received = np.concatenate([self._hours[hour] for hour in range(first, first + number)])
        if not self._is_steady():
            return received
        before, after = self._hours.get(first - 1), self._hours.get(first + number)
        edge = np.ones(1, np.bool_)
        around = np.concatenate(
            [edge if before is None else before[-1:], received, edge if after is None else after[:1]]
        )
        return np.asarray(around[:-2] & received & around[2:])  # an outage cuts the steps beside it

    def steps(self, session: QuerySession, first: int, number: int) -> NDArray[np.bool_]:
        """For each of the newest steps whether it says something."""
        wanted = range(first - 1, first + number)
        lacking = [step for step in wanted if step not in self._steps]
        if lacking:
            start, end = lacking[0], lacking[-1] + 1
            self._steps |= zip(range(start, end), self._ask(session, start, end - start).tolist(), strict=True)
            self._steps = {step: known for step, known in self._steps.items() if step > end - 3 * STEPS}
        received = np.array([self._steps.get(step, False) for step in wanted], np.bool_)
        return np.asarray(received[1:] & received[:-1] if self._is_steady() else received[1:])

    def _read_hours(self, session: QuerySession, first: int, number: int) -> None:
        lacking = [hour for hour in range(first, first + number) if hour not in self._hours]
        if not lacking:
            return
        start, count = lacking[0], lacking[-1] + 1 - lacking[0]
        found = self._ask(session, start * STEPS + 1, count * STEPS).reshape(count, STEPS)
        self._hours |= zip(range(start, start + count), found, strict=True)

    def forget(self, before: int) -> None:
        """Let hours before one go."""
        self._hours = {hour: received for hour, received in self._hours.items() if hour >= before}

    def _is_steady(self) -> bool:
        return bool(self._hours) and float(np.mean(list(self._hours.values()))) >= _STEADY
