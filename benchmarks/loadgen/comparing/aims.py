"""What two builds' figures are held against: the aims of speed, and how a figure of several rounds is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from loadgen.questions import HOUR_LIMITS_MS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadgen.felt.figures import Figures


class Aim(NamedTuple):
    """A row's figure, and the most that it may be."""

    row: str
    figure: str
    limit: float


AIMS = [
    Aim("spans", "cpu_s_per_M", 11),
    Aim("spans", "peak_MB", 450),
    Aim("spans", "bytes_per_record", 46),
    Aim("logs", "cpu_s_per_M", 7),
    Aim("metrics", "cpu_s_per_M", 8),
    Aim("10 requests/s", "cpu_ms", 2),
    Aim("2,000 requests/s", "cpu_ms", 0.35),
    Aim("2,000 requests/s", "p99_ms", 60),
    Aim("demo", "idle_pct", 0.2),
    Aim("demo", "load_pct", 2),
    Aim("demo", "resident_MB", 180),
    *(
        Aim(f"{state}: {question}", "p50_ms", limit)
        for question, limits in HOUR_LIMITS_MS.items()
        for state, limit in zip(STATES, limits, strict=True)
    ),
    *(Aim(f"{state}: trace by id", "cpu_ms", 10) for state in ("settled", "fresh")),
    *(Aim(f"{state}: trace by id, last requests", "cpu_ms", 10) for state in ("settled", "fresh")),
]


def chosen(figure: str, values: Sequence[float]) -> float:
    """Return the figure of several rounds.

    On a machine with other work costs only grow, so the smallest cost and the highest rate are nearest to the truth;
    of memory the highest counts, because it was needed.
    """
    return max(values) if figure == "per_s" or figure.endswith("_MB") else min(values)


def compared(rounds: dict[str, list[Figures]]) -> list[dict[str, Any]]:
    """Return a row for each figure of the builds ``base`` and ``new``: both, new over base, and the aim.

    ``reached`` is empty where there is no aim.
    """
    limits = {(aim.row, aim.figure): aim.limit for aim in AIMS}
    made = []
    for row, figures in rounds["new"][0].items():
        for figure, value in figures.items():
            if not isinstance(value, int | float) or figure.startswith("limit"):
                continue
            base, new = (
                chosen(figure, [each[row][figure] for each in rounds[build] if figure in each.get(row, {})] or [0.0])
                for build in ("base", "new")
            )
            limit = limits.get((row, figure))
            ratio = new / base if base else None
            reached = "" if limit is None else "yes" if new <= limit else "no"
            made.append(
                {"row": row, "figure": figure, "base": base, "new": new, "ratio": ratio, "aim": limit}
                | {"reached": reached}
            )
    return made
