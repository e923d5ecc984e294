"""Backtests over numbers that stand here: what fires, what is drawn, which rules would have been quieter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.machine import advance, is_forgettable
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_core.alerting.states import INITIAL, Policy, Sample, Transition
from spanglass_server.alerting.backtest import backtest as module_of_backtest
from spanglass_server.alerting.backtest import walking
from spanglass_server.alerting.backtest.backtest import Options, backtest
from spanglass_server.alerting.backtest.courses import Course
from spanglass_server.alerting.backtest.numbers import roundest, with_unit
from spanglass_server.alerting.backtest.preview import preview
from spanglass_server.alerting.backtest.replay import Replay
from spanglass_server.alerting.model import NOT_STORED, Failure, Readings
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryTimeoutError, Window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from spanglass_server.alerting.backtest.answers import Backtest
    from spanglass_server.alerting.model import Key
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession

STEP_NS = 15 * NS_PER_SECOND
#: Ticks are counted from here: 4 October 2024.
START_NS = 20_000 * 86_400 * NS_PER_SECOND
SHOP: Key = (("service_name", "shop"),)
CART: Key = (("service_name", "cart"),)

#: The values of a key by the numbers of ticks.
Values = Callable[["NDArray[np.int64]"], "NDArray[np.float64]"]


NO_SESSION = cast("QuerySession", None)
MINUTE_NS = 4 * STEP_NS


class Numbers:
    """An ``Evaluator`` of rules ``x > threshold`` (``below``: ``x < threshold``) over values by tick, for some keys.

    ``values`` gives those of a key by the numbers of ticks from ``START_NS`` on. A key without data in all steps
    asked for is not among the keys, as in PromQL. ``asked`` are the sizes of what was asked for; more than ``most``
    steps are too many.
    """

    def __init__(
        self, values: Mapping[Key, Sequence[float] | Values], threshold: float, *, below: bool = False,
        most: int = 10**9,
    ) -> None:  # fmt: skip
        self.values = values
        self.threshold = threshold
        self.below = below
        self.most = most
        self.asked: list[int] = []

    def evaluate(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> Mapping[str, Readings | Failure]:
        """Readings of one rule, whichever."""
        del session
        self.asked.append(steps.size)
        if steps.size > self.most:
            return {rule.uid: Failure("too many samples") for rule in rules}
        return {rule.uid: self._readings(rule, steps) for rule in rules}

    def check(self, rule: Rule) -> Failure | None:
        """All rules are right."""
        del rule
        return None

    def _readings(self, rule: Rule, steps: Steps) -> Readings:
        times = (steps.start_ms + steps.step_ms * np.arange(steps.size)) * NS_PER_MS
        ticks = (times - START_NS) // STEP_NS
        rows = {key: self._of(key, ticks) for key in self.values}
        rows = {key: row for key, row in rows.items() if not np.isnan(row).all()}
        values = np.array(list(rows.values())).reshape(len(rows), steps.size)
        margin = abs(self.threshold) * rule.hysteresis
        with np.errstate(invalid="ignore"):
            holds = values < self.threshold if self.below else values > self.threshold
            good = values >= self.threshold + margin if self.below else values <= self.threshold - margin
        levels = np.where(holds, rule.severity.rank, 0).astype(np.int8)
        thresholds = {rule.severity.rank: self.threshold}
        warnings = () if rows else (f"{NOT_STORED} queue_depth",)
        return Readings(times, tuple(rows), values, levels, good, "s", thresholds, warnings=warnings)

    def _of(self, key: Key, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        given = self.values[key]
        if callable(given):
            return given(ticks)
        inside = (ticks >= 0) & (ticks < len(given))
        return np.where(inside, np.asarray(given, float)[np.where(inside, ticks, 0)], np.nan)


def rule(condition: str = "response_time > 1", **changes: object) -> Rule:
    """A rule that is tried."""
    return Rule(**{"uid": "r", "name": "R", "condition": condition, "severity": Severity.ERROR, **changes})  # type: ignore[arg-type]


def always(_: object, steps: Steps) -> NDArray[np.bool_]:
    """Something came in at all times."""
    return np.ones(steps.size, bool)


def run(evaluator: Numbers, ticks: int, **changes: Any) -> Backtest:
    """Test a rule over the first ticks."""
    options = {name: changes.pop(name) for name in ("step_ns", "zone", "clock", "limit_s") if name in changes}
    window = Window(START_NS, START_NS + ticks * STEP_NS)
    return backtest(NO_SESSION, evaluator, rule(**changes), window, Options(live=always, **options))


def fires(answer: Backtest, key: int = 0) -> list[tuple[float, float, float | None, float | None]]:
    """The spans of one key in ticks: pending, fired, resolved; and the peak."""
    return [
        (_tick(span["pending_time"]), _tick(span["fired_time"]), _tick(span["resolved_time"]), span["peak"])
        for span in answer["keys"][key]["fired"]
    ]  # fmt: skip


def _tick(text: str | None) -> Any:
    if text is None:
        return None
    return (parse_time(text, 0) - START_NS) // STEP_NS


def test_what_fires() -> None:
    """Spans, totals and thresholds of two keys follow from their values; one that only pended is told as such."""
    evaluator = Numbers(
        {
            SHOP: [0, 2, 3, 2, 2, 2, 0, 0, 0, 2, 0, 0],
            CART: [0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 5],
            (("service_name", "well"),): [0.5] * 12,
        },
        threshold=1,
    )
    answer = run(evaluator, 12, for_ns=2 * STEP_NS)
    assert [key["labels"]["service_name"] for key in answer["keys"]] == ["shop", "cart"]
    assert fires(answer) == [(1, 3, 6, 3.0)]
    assert fires(answer, 1) == [(8, 10, None, 5.0)]
    assert [_tick(span["start_time"]) for span in answer["keys"][0]["pending"]] == [9]
    assert answer["totals"] == {
        "keys": 3, "keys_fired": 2, "fires": 2, "pending_only": 1,
        "firing_ns": 5 * STEP_NS, "longest_ns": 3 * STEP_NS, "firing_at_end": 1,
    }  # fmt: skip
    assert (answer["thresholds"], answer["direction"]) == ([{"severity": "error", "value": 1}], "above")
    assert (answer["complete"], answer["ticks"], answer["failure"], answer["warnings"]) == (True, 12, None, [])


def test_ticks_are_the_multiples_of_the_interval_in_the_range() -> None:
    """A range that begins and ends between ticks has those inside it, its end left out."""
    answer = backtest(
        NO_SESSION, Numbers({SHOP: [2.0] * 9}, 1), rule(), Window(START_NS + STEP_NS + 1, START_NS + 5 * STEP_NS),
        Options(live=always),
    )  # fmt: skip
    assert answer["ticks"] == 3
    assert fires(answer) == [(2, 2, None, 2.0)]


def test_a_long_range_is_walked_in_pieces_with_the_same_answer() -> None:
    """Half a year in pieces gives each fire where it is, whatever piece it lies in, also across two."""

    def values(ticks: Any) -> Any:
        return np.where(ticks % 30_000 < 5, 7.0, 0.25) + (ticks == 90_002)

    evaluator = Numbers({SHOP: values, CART: lambda ticks: np.zeros(len(ticks))}, 1)
    answer = run(evaluator, 1_000_000)
    assert [start for start, *_ in fires(answer)] == list(range(0, 1_000_000, 30_000))
    assert max(evaluator.asked) <= 20_000
    assert len(evaluator.asked) > 50
    drawn = answer["series"][0]
    assert len(drawn["times_s"]) < 1_000
    assert max(value for value in drawn["values"] if value is not None) == 8
    assert {START_NS / NS_PER_SECOND + start * 15.0 for start, *_ in fires(answer)} <= set(drawn["times_s"])


def test_a_metric_is_unknown_only_if_no_piece_has_it() -> None:
    """A metric that is sent for minutes of a long range is stored; one that is nowhere in it is not."""
    begins_late = Numbers({SHOP: lambda ticks: np.where(ticks > 90_000, 2.0, np.nan)}, 1)
    answer = run(begins_late, 90_100)
    assert (len(begins_late.asked) > 1, answer["totals"]["fires"], answer["warnings"]) == (True, 1, [])
    assert run(Numbers({}, 1), 90_100)["warnings"] == [f"{NOT_STORED} queue_depth"]


def test_too_much_at_once_is_asked_for_in_smaller_pieces() -> None:
    """What is too many samples at once is evaluated in smaller pieces; what is wrong with any is the failure."""
    few = Numbers({SHOP: [2.0] * 500}, 1, most=100)
    assert run(few, 500)["totals"]["fires"] == 1
    answer = run(Numbers({SHOP: [2.0]}, 1, most=0), 500)
    assert answer["failure"] == {"message": "too many samples", "column": 0}
    assert (answer["ticks"], answer["complete"]) == (0, False)


def test_what_takes_too_long_is_said() -> None:
    """With the time used up the answer is about the part that was evaluated, and says so; not even one is an error."""
    times = iter([0.0, *range(1, 1_000_000)])
    answer = run(Numbers({SHOP: [2.0] * 90_000}, 1), 90_000, clock=lambda: next(times), limit_s=3)
    assert not answer["complete"]
    assert 2_000 < answer["ticks"] < 90_000
    assert "not evaluated to its end" in answer["warnings"][0]

    class Stopped(Numbers):
        def evaluate(self, *asked: Any) -> Any:
            if self.asked:
                raise QueryTimeoutError("too slow")
            return super().evaluate(*asked)

    assert run(Stopped({SHOP: [2.0]}, 1), 5_000)["ticks"] == 2_000
    stopped = Stopped({SHOP: [2.0]}, 1)
    stopped.asked.append(1)
    with pytest.raises(QueryTimeoutError):
        run(stopped, 5_000)


def test_a_coarser_step_is_asked_for_and_said() -> None:
    """A multiple of the interval is taken and told; anything else is refused with what would do."""
    answer = run(Numbers({SHOP: [0, 2, 0, 0, 2, 0, 0, 0]}, 1), 8, step_ns=4 * STEP_NS)
    assert (answer["step_ns"], answer["interval_ns"], answer["ticks"]) == (4 * STEP_NS, STEP_NS, 2)
    assert answer["warnings"] == ["evaluated every 1m, as was asked, and not every 15s: short fires may be missing"]
    with pytest.raises(BadQuestionError, match="no multiple") as refused:
        run(Numbers({}, 1), 8, step_ns=STEP_NS + 1)
    assert refused.value.field == "step"


def test_pages_by_day() -> None:
    """Fires are counted on the day that they began, in the reader's zone, and firing time on the days it lies on."""
    day = 5_760
    values = np.zeros(2 * day)
    values[day - 240 : day + 240] = 2
    zone = timezone(timedelta(hours=1))
    assert [(each["date"], each["pages"], each["firing_ns"] // MINUTE_NS) for each in run(
        Numbers({SHOP: values.tolist()}, 1), 2 * day, zone=zone
    )["days"]] == [("2024-10-04", 0, 0), ("2024-10-05", 1, 120), ("2024-10-06", 0, 0)]  # fmt: skip
    answer = run(Numbers({SHOP: values.tolist()}, 1), 2 * day)
    assert [(each["pages"], each["firing_ns"] // MINUTE_NS) for each in answer["days"]] == [(1, 60), (0, 60)]
    assert answer["days"][0]["by_severity"] == {"error": 1}


def test_quieter_rules_and_what_they_miss() -> None:
    """Short spikes go with a longer ``for``, low ones with another threshold; what goes is named with its peak."""
    values = np.zeros(4_000)
    for place in range(0, 4_000, 400):
        values[place + 10 : place + 12] = 1.5  # ten short, low ones
    values[2_100:2_200] = 4.0  # a long, high one
    answer = run(Numbers({SHOP: values.tolist()}, 1), 4_000)
    assert answer["totals"]["fires"] == 11
    threshold, longer = (
        next(each for each in answer["suggestions"] if each["what"] == what) for what in ("threshold", "for")
    )
    assert (threshold["text"], threshold["fires"], threshold["missed_count"]) == ("above 2s", 1, 10)
    assert {missed["peak"] for missed in threshold["missed"]} == {1.5}
    assert (longer["text"], longer["fires"], longer["missed_count"]) == ("for: 1m", 1, 10)
    assert longer["missed"][0]["firing_ns"] == 2 * STEP_NS


def test_flapping_is_joined() -> None:
    """A value that goes to and fro is one fire with ``keep_firing_for``, and nothing is missed."""
    answer = run(Numbers({SHOP: [2.0, 0.0, 0.0] * 40}, 1), 120)
    (joined,) = (each for each in answer["suggestions"] if each["what"] == "keep_firing_for")
    assert (joined["value"], joined["fires"], joined["missed_count"]) == (MINUTE_NS, 1, 0)


def test_small_values_may_be_the_bad_ones() -> None:
    """For ``<`` the peak is the least value, and quieter thresholds are lower."""
    values = [9.0, 0.8, 9.0, 9.0, 0.2, 9.0, 9.0, 0.9, 9.0]
    answer = run(Numbers({SHOP: values}, 1, below=True), 9, condition="response_time < 1")
    assert [peak for *_, peak in fires(answer)] == [0.8, 0.2, 0.9]
    assert [(each["value"], each["fires"]) for each in answer["suggestions"] if each["what"] == "threshold"] == [
        (0.9, 2), (0.8, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("condition", ["response_time > 1 or error_rate > 2", "response_time > 2 * baseline", "("])
def test_no_threshold_where_another_can_not_be_tried(condition: str) -> None:
    """What may hold without the comparison, or is compared with what is computed, has no suggested threshold."""
    answer = run(Numbers({SHOP: [2, 0, 3, 0, 4, 0]}, 1), 6, condition=condition)
    assert answer["totals"]["fires"] == 3
    assert not [each for each in answer["suggestions"] if each["what"] == "threshold"]


@pytest.mark.parametrize(
    ("module", "bound", "most"), [(walking, "_MOST_KEPT", 10), (module_of_backtest, "_MOST_TRIED", 0)]
)
def test_quieter_rules_are_looked_for_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, bound: str, most: int
) -> None:
    """With more values than memory is meant to hold, or with too many keys, there are no suggestions; that is said."""
    monkeypatch.setattr(module, bound, most)
    answer = run(Numbers({SHOP: [2, 0, 2, 0] * 10}, 1), 40)
    assert (answer["totals"]["fires"], answer["suggestions"]) == (20, [])
    assert "narrow the condition" in answer["warnings"][0]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_replay_is_the_machine_tick_by_tick(data: st.DataObject) -> None:
    """Leaving out ticks that change nothing gives the transitions and the last state of taking every one."""
    runs = data.draw(
        st.lists(
            st.tuples(st.sampled_from([np.nan, 0.0, 1.0]), st.integers(0, 2), st.booleans(), st.integers(1, 9)),
            min_size=1, max_size=12,
        )
    )  # fmt: skip
    policy = Policy(
        for_ns=data.draw(st.integers(0, 4)), keep_firing_for_ns=data.draw(st.integers(0, 4)), no_data_ns=3, gone_ns=6,
        no_data=data.draw(st.sampled_from(["keep", "ok", "alert"])),
    )  # fmt: skip
    cells = [(value, 0 if np.isnan(value) else level, recovered and not level)
             for value, level, recovered, long in runs for _ in range(long)]  # fmt: skip
    columns = list(zip(*cells, strict=True))
    times = np.arange(len(cells)) + 1
    course = Course(times, np.array(columns[0]), np.array(columns[1], np.int8), np.array(columns[2], bool))
    replay = Replay(policy)
    half = data.draw(st.integers(0, len(cells)))
    for part in (slice(0, half), slice(half, None)):
        replay.feed(Course(times[part], course.values[part], course.levels[part], course.recovered[part]))
    state = INITIAL
    transitions: list[Transition] = []
    for time, (value, level, recovered) in zip(times.tolist(), cells, strict=True):
        severity = SEVERITIES[level - 1] if level else None
        sample = Sample(time, None if np.isnan(value) else value, severity, recovered)
        if state.evaluated_ns or sample.value is not None:  # live, a key that is at rest has no state
            state, changes = advance(state, sample, policy, time)
            state = INITIAL if is_forgettable(state, policy) else state
            transitions += changes
    assert (replay.transitions, replay.state) == (transitions, state)


def test_preview() -> None:
    """The latest tick of each key, the worst first, with its level; a failure is told."""
    evaluator = Numbers({SHOP: [0, 0.5, 9], CART: [0, 3, 9], (("service_name", "silent"),): [1]}, 1)
    answer = preview(NO_SESSION, evaluator, rule(), START_NS + 2 * STEP_NS - 1)
    assert evaluator.asked == [1]
    assert [(key["labels"]["service_name"], key["value"], key["severity"]) for key in answer["keys"]] == [
        ("cart", 3, "error"), ("shop", 0.5, None),
    ]  # fmt: skip
    assert (answer["crossing"], answer["time"]) == (1, "2024-10-04T00:00:15.000000000Z")
    failed = preview(NO_SESSION, Numbers({}, 1, most=0), rule(), START_NS)
    assert failed["failure"] == {"message": "too many samples", "column": 0}
    many = Numbers({(("n", f"{n:02}"),): [float(n)] for n in range(70)}, 1)
    cut = preview(NO_SESSION, many, rule(), START_NS)
    assert (len(cut["keys"]), cut["keys_left_out"]) == (50, 20)


@pytest.mark.parametrize(
    ("low", "high", "number"),
    [
        (1.5, 4, 2),
        (0.0512, 0.0731, 0.06),
        (1, 1.04, 1),
        (412, 431, 420),
        (0.8, 0.2, 0.8),
        (0.873, 0.21, 0.8),
        (0, 3, 0),
    ],
)
def test_round_numbers(low: float, high: float, number: float) -> None:
    """A threshold is the number with the fewest digits that is far enough."""
    assert roundest(low, high) == number


def test_numbers_with_units() -> None:
    """Thresholds are written as conditions take them."""
    given = [(0.08, "ratio"), (0.45, "s"), (1.5e9, "bytes"), (12, ""), (3, "/s")]
    assert [with_unit(*each) for each in given] == ["8%", "450ms", "1.5GB", "12", "3/s"]
