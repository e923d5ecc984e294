"""How good forecasts and trends are on labelled series, and what they cost.

    .venv/bin/python benchmarks/forecasts.py [--each 40] [--ahead 72]

Forecasts of three days (``--ahead`` hours) from four weeks by the hour: the mean error against that of the last value,
the last day and the last week (less than 1 is better; the geometric mean over the series of a kind), MASE and MAPE, and
how often the interval of 80 % held. Then: whether slopes, periods and shifts are found, and the processor time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from made_series import DAY, WEEK, made_series
from spanglass_server.forecasting.forecasts import forecast
from spanglass_server.forecasting.trends import find_trends

PAST = 28 * DAY
PERIODS = (DAY, WEEK)


def _geometric(ratios: np.ndarray) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-3)))))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40, help="series of each kind")
    parser.add_argument("--ahead", type=int, default=72, help="hours ahead")
    arguments = parser.parse_args()
    made = made_series(arguments.each, PAST + arguments.ahead)
    values = np.array([one.values for one in made])
    kinds = np.array([one.kind for one in made])
    past, true = values[:, :PAST], values[:, PAST:]
    began = time.process_time()
    given = forecast(past, arguments.ahead, PERIODS)
    spent_s = time.process_time() - began
    steps = np.arange(arguments.ahead)
    error = np.abs(true - given.expected).mean(axis=1)
    naive = {
        "last value": np.repeat(past[:, -1:], arguments.ahead, axis=1),
        "last day": past[:, PAST - DAY + steps % DAY],
        "last week": past[:, PAST - WEEK + steps % WEEK],
    }
    naive_error = {name: np.abs(true - said).mean(axis=1) for name, said in naive.items()}
    scale = np.abs(past[:, DAY:] - past[:, :-DAY]).mean(axis=1)
    inside = ((true >= given.low) & (true <= given.high)).mean(axis=1)
    share = np.abs(true - given.expected) / np.maximum(np.abs(true), 1e-9)
    print("| series | / last value | / last day | / last week | MASE | MAPE % | 80 % held % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind in (*dict.fromkeys(kinds), "all"):
        rows = kinds == kind if kind != "all" else np.ones(len(made), bool)
        ratios = [_geometric(error[rows] / np.maximum(naive_error[name][rows], 1e-9)) for name in naive]
        mase = float(np.mean(error[rows] / np.maximum(scale[rows], 1e-9)))
        few = (np.abs(true[rows]) < 1).any() and kind not in {"disk", "disk that is cleaned", "p95 with incidents"}
        mape = "" if few else f"{100 * float(np.median(share[rows].mean(axis=1))):.1f}"
        cells = [kind, *(f"{ratio:.2f}" for ratio in ratios), f"{mase:.2f}", mape, f"{100 * inside[rows].mean():.0f}"]
        print(f"| {' | '.join(cells)} |")
    _trends(made, past, spent_s)


def _trends(made: list, past: np.ndarray, spent_s: float) -> None:
    began = time.process_time()
    found = find_trends(past, PERIODS)
    trend_s = time.process_time() - began
    period = np.array([one.period for one in made])
    whole = np.array([one.kind in {"disk", "growing traffic"} for one in made])
    flat = np.array([one.kind in {"traffic of days", "traffic with weekends", "level", "level shift"} for one in made])
    slope = np.array([one.slope for one in made])
    certain = found.slopes.confidence >= 0.95
    held = (found.slopes.low <= slope) & (slope <= found.slopes.high)
    pairs = [(one, [shift.step for shift in those]) for one, those in zip(made, found.shifts, strict=True)]
    right = [min((abs(step - one.shifts[0]) for step in told), default=None) for one, told in pairs if one.shifts]
    near = [apart <= 3 for apart in right if apart is not None]
    wrong = [bool(told) for one, told in pairs if not one.shifts and one.kind != "leak with restarts"]
    print(f"\nperiods right: {100 * (found.seasons.period == period).mean():.0f} % of all series")
    print(
        f"slopes of disks and growing traffic: certain {100 * certain[whole].mean():.0f} %, in the interval "
        f"{100 * held[whole].mean():.0f} %; certain without a slope: {100 * certain[flat].mean():.0f} %"
    )
    print(
        f"level shifts: found {100 * len(near) / len(right):.0f} %, near {100 * np.mean(near):.0f} % of these; "
        f"told where there is none: {100 * np.mean(wrong):.0f} %"
    )
    print(
        f"processor time: {1000 * spent_s / len(made):.1f} ms a series for forecasts, "
        f"{1000 * trend_s / len(made):.2f} ms for trends; of 10,000 series once an hour "
        f"{100 * (spent_s + trend_s) / len(made) * 10_000 / 3600:.1f} % of a core"
    )


if __name__ == "__main__":
    main()
