"""How good anomalies are on labelled series, beside three deviations from the mean, and what they cost.

    .venv/bin/python benchmarks/anomalies.py [--each 60] [--days 2]

Three weeks of five minutes are known; the days after them are judged step by step, as the server does, with what is
usual computed anew each hour. An anomaly is found if one is told of that overlaps it; what is told of and overlaps none
is wrong. The plain method tells of values more than three standard deviations from the mean of the day before, and
begins and ends as ours does.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np

from made_anomalies import DAY, HOUR, Made, made_anomalies
from spanglass_server.anomalies.detecting.episodes import BEGIN, Episodes
from spanglass_server.anomalies.detecting.judging import Judged, judge, judge_durations, judge_failures
from spanglass_server.anomalies.detecting.scales import scaled
from spanglass_server.anomalies.detecting.usual import Usual, find_usual, hours_of

PAST = 21 * DAY
#: As the server's: a share of a hundredth, 5 ms.
LEAST = {"share": 0.01, "log": 0.005, "count": 0.0, "plain": 0.0}
Told = list[list[tuple[int, int]]]


def _judged(made: list[Made], scale: str, usual: Usual, step: int, at: int) -> Judged:
    values = np.array([one.values[at] for one in made])
    if scale in {"share", "log"}:
        requests = np.array([one.requests[at] for one in made if one.requests is not None])
        judging = judge_failures if scale == "share" else judge_durations
        return judging(values, requests, usual, step, LEAST[scale])
    return judge(values, usual, step, scale, LEAST[scale])  # type: ignore[arg-type]


def ours(made: list[Made], ahead: int) -> tuple[Told, float]:
    """The anomalies told of each series, as steps from and to; and the processor time, in seconds."""
    scale = made[0].scale
    values = scaled(np.array([one.values for one in made]), scale)
    hours = hours_of(values)
    episodes, told, spent_s = Episodes.of(len(made)), [[] for _ in made], 0.0
    for hour in range(ahead // HOUR):
        began_s = time.process_time()
        first = PAST // HOUR + hour
        usual = find_usual(hours[:, :, hour:first], scale)
        for step in range(HOUR):
            at = first * HOUR + step
            found = _judged(made, scale, usual, step, at)
            _note(told, episodes.step(found.deviations, found.matters), at)
        spent_s += time.process_time() - began_s
    _end(told, PAST + ahead)
    return told, spent_s


def plain(made: list[Made], ahead: int) -> Told:
    """The same by three deviations from the mean of the day before."""
    values = np.array([one.values for one in made])
    episodes, told = Episodes.of(len(made)), [[] for _ in made]
    for at in range(PAST, PAST + ahead):
        before = values[:, at - DAY : at]
        away = (values[:, at] - before.mean(axis=1)) / np.maximum(before.std(axis=1), 1e-9)
        deviations = away * BEGIN / 3
        _note(told, episodes.step(deviations, np.ones(len(made), bool)), at)
    _end(told, PAST + ahead)
    return told


def _note(told: Told, step: tuple[np.ndarray, ...], at: int) -> None:
    began, ended, _ = step
    for row in np.flatnonzero(ended):
        told[row][-1] = (told[row][-1][0], at + 1 - int(ended[row]))
    for row in np.flatnonzero(began):
        told[row].append((at + 1 - int(began[row]), -1))


def _end(told: Told, at: int) -> None:
    for each in told:
        if each and each[-1][1] < 0:
            each[-1] = (each[-1][0], at)


def _figures(made: list[Made], told: Told) -> tuple[int, int, int, int, list[int]]:
    """Labelled, found, told, wrong, and the delays in steps."""
    labelled = found = number = wrong = 0
    delays = []
    for one, those in zip(made, told, strict=True):
        number += len(those)
        wrong += sum(not any(begin < end and start < stop for start, stop, _ in one.anomalies
                             if begin < stop + HOUR and start < end + 1) for begin, end in those)  # fmt: skip
        for start, stop, _ in one.anomalies:
            labelled += 1
            hits = [begin for begin, end in those if begin < stop and end >= start]
            found += bool(hits)
            delays += [max(0, min(hits) - start)] if hits else []
    return labelled, found, number, wrong, delays


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=60, help="series of each kind")
    parser.add_argument("--days", type=int, default=2, help="days that are judged")
    parser.add_argument("--seed", type=int, default=15)
    arguments = parser.parse_args()
    ahead = arguments.days * DAY
    by_kind: dict[str, list[Made]] = defaultdict(list)
    for one in made_anomalies(arguments.each, PAST, ahead, arguments.seed):
        by_kind[one.kind].append(one)
    print("| series | labelled | precision % | recall % | wrong a series and week | 3 sigma: precision % | recall % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    sums, spent_s = np.zeros((2, 4)), 0.0
    for kind, made in by_kind.items():
        told, seconds = ours(made, ahead)
        spent_s += seconds
        both = [_figures(made, told)[:4], _figures(made, plain(made, ahead))[:4]]
        sums += np.array(both)
        _row(kind, np.array(both), len(made), arguments.days)
    _row("all", sums, sum(map(len, by_kind.values())), arguments.days)
    hours = sum(map(len, by_kind.values())) * arguments.days * 24
    print(f"\nprocessor time: {1000 * spent_s / hours:.2f} ms a series and hour; "
          f"of 10,000 series {100 * spent_s / hours * 10_000 / 3600:.2f} % of a core")  # fmt: skip


def _row(kind: str, both: np.ndarray, number: int, days: int) -> None:
    labelled, found, told, wrong = both[0]
    _, plainly, plain_told, plain_wrong = both[1]
    cells = [
        kind, f"{labelled:.0f}", _percent(told - wrong, told), _percent(found, labelled),
        f"{wrong / number * 7 / days:.2f}", _percent(plain_told - plain_wrong, plain_told), _percent(plainly, labelled),
    ]  # fmt: skip
    print(f"| {' | '.join(cells)} |")


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}" if whole else ""


if __name__ == "__main__":
    main()
