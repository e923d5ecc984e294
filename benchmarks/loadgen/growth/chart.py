"""The chart of growth: a line for each question, over the number of spans, both on logarithmic scales, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 230, 24, 50
_COLOURS = ("#007696", "#843903", "#9778d5", "#0a6e4c", "#7a5c02", "#4745ab", "#733b69")
_LABEL_PX = 15  # what labels at the ends of lines stand apart


Lines = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class _Scales:
    """The first and last powers of ten on both axes."""

    across: tuple[int, int]
    up: tuple[int, int]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the paper."""
        across = (math.log10(x) - self.across[0]) / (self.across[1] - self.across[0])
        up = (math.log10(y) - self.up[0]) / (self.up[1] - self.up[0])
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)


def growth_chart(lines: Lines, unit: str) -> str:
    """Draw points (millions of spans, value) of each name; values above zero."""
    points = [point for line in lines.values() for point in line]
    scales = _Scales(_decades(x for x, _ in points), _decades(y for _, y in points))
    parts = [*_axes(scales, unit), *_drawn(lines, scales)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
    return "\n".join([f'{head} font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])


def _decades(values: Iterable[float]) -> tuple[int, int]:
    """The powers of ten around some values, two different ones."""
    logs = [math.log10(value) for value in values]
    low = math.floor(min(logs))
    return low, max(math.ceil(max(logs)), low + 1)


def _axes(scales: _Scales, unit: str) -> list[str]:
    low_x, low_y = 10.0 ** scales.across[0], 10.0 ** scales.up[0]
    parts = []
    for power in range(scales.up[0], scales.up[1] + 1):
        x, y = scales.place(low_x, 10.0**power)
        parts.append(f'<path d="M{x:.0f} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for power in range(scales.across[0], scales.across[1] + 1):
        x, y = scales.place(10.0**power, low_y)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.0f}" text-anchor="middle">{10.0**power:g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">million spans stored</text>')
    parts.append(f'<text x="{_LEFT - 8}" y="14" text-anchor="end">{escape(unit)}</text>')
    return parts


def _drawn(lines: Lines, scales: _Scales) -> list[str]:
    """The lines, each with its name at its end; names that would lie on each other move down."""
    parts, free_y = [], -math.inf
    ends = sorted(((scales.place(*line[-1]), name) for name, line in lines.items()), key=lambda end: end[0][1])
    for (x, y), name in ends:
        colour = _COLOURS[list(lines).index(name) % len(_COLOURS)]
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (scales.place(*point) for point in lines[name]))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        free_y = max(y, free_y + _LABEL_PX)
        parts.append(f'<text x="{x + 8:.0f}" y="{free_y + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return parts
