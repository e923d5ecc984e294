"""The chart of the alerts of a message, kept for a while: one alert is mostly told over several channels."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.notifications.messages.charts.course import alt_text, course_of, svg
from spanglass_server.notifications.messages.charts.png import png
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.alerting.model import Alert

_LOG = logging.getLogger(__name__)
_KEPT = 32  # of some 15 kB each


class Drawn(NamedTuple):
    """A picture, and what it shows in words; both empty where there is nothing to draw."""

    png: bytes = b""
    alt: str = ""


class Charts:
    """Draws; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Drawn] = OrderedDict()

    def of(self, alerts: Sequence[Alert]) -> Drawn:
        """The chart of the first of the alerts; one that can't be drawn is logged, and left out."""
        if not alerts or not alerts[0].evidence:
            return Drawn()
        alert = alerts[0]
        key = (alert.id, str(alert.evidence.get("gathered_time", "")))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        try:
            found = _draw(alert)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            _LOG.exception("no chart of the alert %s could be drawn", alert.id)
            found = Drawn()
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _draw(alert: Alert) -> Drawn:
    course = course_of(alert.evidence, str(alert.severity), alert.created_ns / NS_PER_SECOND)
    return Drawn(png(svg(course)), alt_text(course)) if course is not None else Drawn()
