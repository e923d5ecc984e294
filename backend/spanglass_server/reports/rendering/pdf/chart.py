"""Charts of reports in PDF: the shapes of their scenes, drawn as vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportlab.platypus import Flowable

from spanglass_server.reports.rendering.pdf import style
from spanglass_server.reports.rendering.scene import HEIGHT, WIDTH, scene
from spanglass_server.reports.rendering.svg import WIDTHS

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

    from spanglass_server.reports.model import Chart
    from spanglass_server.reports.rendering.scene import Label, Scene, Stroke

_SIZE: Final = 10.5  # of labels, in the scene's points
_LEGEND: Final = 16.0  # its height below the scene
_DRAWN: Final = {"start": "drawString", "middle": "drawCentredString", "end": "drawRightString"}


class Drawn(Flowable):  # type: ignore[misc] # ReportLab has no types
    """A chart as wide as the page, with its legend."""

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self._scene: Scene = scene(chart)
        self._scale = 1.0

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Say how much room it takes."""
        self._scale = width / WIDTH
        return width, (HEIGHT - 12 + _LEGEND) * self._scale

    def draw(self) -> None:
        """Draw it, with the origin in its lower left corner."""
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.scale(self._scale, self._scale)
        canvas.translate(0, HEIGHT - 12 + _LEGEND)
        canvas.setLineCap(1)
        canvas.setLineJoin(1)
        for stroke in self._scene.strokes:
            _stroke(canvas, stroke)
        for bar in self._scene.bars:
            canvas.setFillColor(style.colour_of(bar.role))
            canvas.rect(bar.x, -bar.y - bar.height, bar.width, bar.height, stroke=0, fill=1)
        for label in self._scene.labels:
            _label(canvas, label)
        self._legend(canvas)
        canvas.restoreState()

    def _legend(self, canvas: Canvas) -> None:
        x, y = 64.0, -(HEIGHT - 12 + _LEGEND) + 4
        canvas.setFont(style.FONT, _SIZE)
        for role, name in self._scene.legend:
            canvas.setStrokeColor(style.colour_of(role))
            canvas.setLineWidth(2.5)
            canvas.line(x, y + 3.5, x + 14, y + 3.5)
            canvas.setFillColor(style.SOFT)
            text = style.plain(name)
            canvas.drawString(x + 20, y, text)
            x += 36 + canvas.stringWidth(text, style.FONT, _SIZE)


def _stroke(canvas: Canvas, stroke: Stroke) -> None:
    canvas.setStrokeColor(style.colour_of(stroke.role))
    canvas.setLineWidth(WIDTHS[stroke.role])
    path = canvas.beginPath()
    (x, y), *others = stroke.points if len(stroke.points) > 1 else stroke.points * 2
    path.moveTo(x, -y)
    for x, y in others:
        path.lineTo(x, -y)
    canvas.drawPath(path)


def _label(canvas: Canvas, label: Label) -> None:
    canvas.setFont(style.FONT, _SIZE)
    canvas.setFillColor(style.colour_of("label"))
    getattr(canvas, _DRAWN[label.anchor])(label.x, -label.y, style.plain(label.text))
