"""Charts of reports as SVG: colours stand in attributes, and classes let a style sheet choose others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from spanglass_server.reports.rendering import words
from spanglass_server.reports.rendering.scene import HEIGHT, WIDTH, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.reports.model import Chart
    from spanglass_server.reports.rendering.scene import Role, Stroke

#: By the role of a shape, on white.
COLOURS: Final[dict[Role, str]] = {
    "now": "#2743b5", "now2": "#1d7a68", "before": "#b4b1ab", "bad": "#bb2619", "grid": "#e7e4de", "label": "#646977",
}  # fmt: skip
WIDTHS: Final[dict[Role, float]] = {"now": 1.75, "now2": 1.75, "before": 1.5, "bad": 1.75, "grid": 1, "label": 1}


def svg(chart: Chart) -> str:
    """The chart; what it shows is its title, for those who don't see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label={quoteattr(alt_text(chart))} '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" font-size="11">'
        f"{''.join(_shapes(chart))}</svg>"
    )


def alt_text(chart: Chart) -> str:
    """What a chart shows, in words."""
    told = "; ".join(f"{line['name']} {words.spread(line['values'], chart['unit'])}" for line in chart["lines"])
    return f"{chart['name']}: {told}"


def _shapes(chart: Chart) -> Iterator[str]:
    found = scene(chart)
    for stroke in found.strokes:
        yield _stroke(stroke)
    for bar in found.bars:
        yield (
            f'<rect class="{bar.role}" x="{bar.x:g}" y="{bar.y:g}" width="{bar.width:g}" height="{bar.height:g}" '
            f'fill="{COLOURS[bar.role]}"/>'
        )
    for label in found.labels:
        yield (
            f'<text class="label" x="{label.x:g}" y="{label.y:g}" text-anchor="{label.anchor}" '
            f'fill="{COLOURS["label"]}">{escape(label.text)}</text>'
        )


def _stroke(stroke: Stroke) -> str:
    points = stroke.points if len(stroke.points) > 1 else stroke.points * 2  # round ends make it a dot
    d = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    return (
        f'<path class="{stroke.role}" d="{d}" fill="none" stroke="{COLOURS[stroke.role]}" '
        f'stroke-width="{WIDTHS[stroke.role]:g}" stroke-linecap="round" stroke-linejoin="round"/>'
    )
