"""A badge: a small picture with a name and a status, for README files and wikis."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNKNOWN = "#5d6270"
_COLOURS: Mapping[str, str] = {"healthy": "#1c7440", "degraded": "#8f5500", "unhealthy": "#bb2619", "unknown": _UNKNOWN}
_MOST = 60  # characters of a name
_HEIGHT, _PADDING = 20, 7
#: About how wide characters are in the fonts below, in pixels.
_NARROW, _WIDE = frozenset("fijltI.,:;'!| ()[]"), frozenset("mwMW%@")
_WIDTHS = (4.0, 6.8, 8.0, 10.2)  # narrow ones, most, capital ones, wide ones


def badge(name: str, text: str, status: str) -> str:
    """Return the SVG; ``status`` gives the colour, ``text`` says it in words."""
    label = escape(name if len(name) <= _MOST else f"{name[: _MOST - 1]}…")
    left, right = _width(name[:_MOST]) + 2 * _PADDING, _width(text) + 2 * _PADDING
    value, all_of_it = escape(text), left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{all_of_it}" height="{_HEIGHT}" role="img" '
        f'aria-label="{label}: {value}"><title>{label}: {value}</title>'
        f'<clipPath id="r"><rect width="{all_of_it}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><path fill="#3a3f4b" d="M0 0h{left}v{_HEIGHT}H0z"/>'
        f'<path fill="{_COLOURS.get(status, _UNKNOWN)}" d="M{left} 0h{right}v{_HEIGHT}H{left}z"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14" textLength="{left - 2 * _PADDING}">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14" textLength="{right - 2 * _PADDING}">{value}</text></g></svg>'
    )


def _width(text: str) -> int:
    """Return about how wide a text is; ``textLength`` makes it so."""
    return max(8, round(sum(map(_width_of, text))))


def _width_of(letter: str) -> float:
    narrow, usual, capital, wide = _WIDTHS
    if letter in _NARROW:
        return narrow
    return wide if letter in _WIDE else capital if letter.isupper() else usual
