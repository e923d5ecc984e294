"""Notifications as bytes, and back.

A group of 10,000 alerts is 7 MB of JSON that says nearly the same 10,000 times; zlib makes 0.5 MB of it.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Alert
from spanglass_server.notifications.model import Notification, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALERT = tuple(field.name for field in fields(Alert) if field.name != "evidence")
_NOTIFICATION = tuple(field.name for field in fields(Notification) if field.name != "alerts")
_LEVEL = 1  # of zlib: four times as fast as the default, for a tenth more
_MOST_WORDS = 50  # alerts of a group whose titles are searched
_TUPLES = ("key", "channels", "addresses")


def packed(notification: Notification) -> bytes:
    """Write a notification; evidence of its alerts is left out."""
    whole = {name: _plain(getattr(notification, name)) for name in _NOTIFICATION}
    whole["alerts"] = [{name: _plain(getattr(alert, name)) for name in _ALERT} for alert in notification.alerts]
    return zlib.compress(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(), _LEVEL)


def unpacked(body: bytes) -> Notification:
    """Read a notification; what only another version of the server knows of is left out."""
    whole = json.loads(zlib.decompress(body))
    own = _own(whole, _NOTIFICATION)
    return Notification(
        **{**own, "reason": Reason(own["reason"]), "alerts": tuple(_alert(one) for one in whole["alerts"])}
    )


def words_of(notification: Notification) -> str:
    """What ``DeliveryFilter.text`` is looked for in: titles, channel, reason, and labels of the group."""
    titles = [alert.title for alert in notification.alerts[:_MOST_WORDS]]
    about = [str(notification.about.get(name, "")) for name in ("title", "text")]
    labels = notification.group_labels.values()
    return "\n".join([notification.channel, notification.reason, *titles, *about, *labels]).casefold()


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value


def _own(whole: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    own = {name: whole[name] for name in names if name in whole}
    return own | {name: tuple(own[name]) for name in _TUPLES if name in own}


def _alert(whole: Mapping[str, Any]) -> Alert:
    own = _own(whole, _ALERT)
    own["key"] = tuple((name, value) for name, value in own["key"])
    return Alert(**{**own, "severity": Severity(own["severity"]), "status": Status(own["status"])})
