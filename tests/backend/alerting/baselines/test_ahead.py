"""Forecasts in conditions: from stored values, the same live and in a backtest."""

from __future__ import annotations

import numpy as np
import pytest

from spanglass_server.alerting.baselines.ahead import StoredForecasts
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 19_675 * DAY
TIMES = np.arange(0, 6 * DAY, 5 * MINUTE)


def _source() -> SeriesInMemory:
    """Two series of six days: a line, and a day that repeats itself."""
    days = TIMES / DAY
    values = np.array([0.4 + 0.05 * days, 100 + 50 * np.sin(2 * np.pi * days)])
    labels = LabelSets.of([{NAME: "x", "host": host} for host in ("line", "wave")])
    sizes = np.array([0, len(TIMES), 2 * len(TIMES)])
    return SeriesInMemory(Samples(labels, sizes, np.tile(START + TIMES, 2), values.ravel()))


@pytest.mark.parametrize("ahead", [3 * HOUR, 2 * DAY])
def test_values_after_each_step(ahead: int) -> None:
    """Each key has its expected value; steps asked for together say what each says alone."""
    source, steps = _source(), Steps(START + 5 * DAY + 9 * HOUR, 10 * MINUTE, 12)
    keys, values = StoredForecasts().ahead(source, "x", ("host",), steps, ahead)
    assert keys == ((("host", "line"),), (("host", "wave"),))
    at = (steps.start_ms - START + np.arange(12) * steps.step_ms + ahead) / DAY
    assert values[0] == pytest.approx(0.4 + 0.05 * at, abs=0.01)
    assert np.abs(values[1] - 100 - 50 * np.sin(2 * np.pi * at)).max() < 10
    again = StoredForecasts()
    alone = [again.ahead(source, "x", ("host",), Steps(int(t), 0, 1), ahead)[1][:, 0] for t in _times(steps)[::5]]
    assert np.allclose(np.array(alone).T, values[:, ::5])


def test_too_little_is_known() -> None:
    """After a day, a week ahead is not told; nothing is told of what is not there."""
    found = StoredForecasts()
    keys, values = found.ahead(_source(), "x", (), Steps(START + DAY, 0, 1), 7 * DAY)
    assert np.isnan(values).all()
    keys, values = found.ahead(_source(), "nothing", (), Steps(START + DAY, HOUR, 2), HOUR)
    assert (keys, values.shape) == ((), (0, 2))


def test_nothing_is_told_of_what_is_over() -> None:
    """A host that was taken away has no forecast after a twentieth of the past, else it would be told of for weeks."""
    found = StoredForecasts().ahead(_source(), "x", ("host",), Steps(START + 6 * DAY, DAY, 3), 2 * DAY)[1]
    assert np.isnan(found).tolist() == [[False, False, True], [False, False, True]]


def _times(steps: Steps) -> np.ndarray:
    return steps.start_ms + steps.step_ms * np.arange(steps.size)
