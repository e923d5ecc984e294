"""SVG to PNG, with the font that comes with the server, so that it looks the same on every machine."""

from __future__ import annotations

from pathlib import Path

from spanglass_server.notifications.messages.charts.course import FONT

_FONT_FILE = Path(__file__).parent / "font" / "chart-text.ttf"
_ZOOM = 2.0  # dots of the picture for one of the SVG: sharp on dense screens


def png(svg: str) -> bytes:
    """The picture; ``ValueError`` for what is no SVG. Takes some 20 ms for a chart."""
    import resvg_py  # noqa: PLC0415 - only messages with charts need it

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            skip_system_fonts=True,
            font_files=[str(_FONT_FILE)],
            font_family=FONT,
            zoom=_ZOOM,
        )
    )
